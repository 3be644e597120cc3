import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Arrived, Upstream } from './upstream.ts';

interface Asked {
  readonly upstream: Upstream;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly arrived: Arrived;
  readonly parameters: URLSearchParams;
}

type Answer = (asked: Asked) => Promise<unknown> | unknown;

/** Every way in which a service writes a text that came in, and that the broker promises to find. */
export function formsOf(text: string): Record<string, string> {
  const bytes = Buffer.from(text);
  const shifted = (offset: number) => Buffer.concat([Buffer.alloc(offset, 'x'), bytes, Buffer.from('yy')]);
  const hex = (sign: string) => sign.charCodeAt(0).toString(16).padStart(2, '0');
  return {
    raw: text,
    JSON: JSON.stringify({ text }),
    'JSON of Go': JSON.stringify({ text }).replaceAll(/[<>&]/g, (sign) => `\\u00${hex(sign)}`),
    'JSON with a slash that is escaped': JSON.stringify({ text }).replaceAll('/', '\\/'),
    'a URL component': encodeURIComponent(text),
    'a URL component with small digits': encodeURIComponent(text).replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase()),
    'a form': new URLSearchParams({ text }).toString(),
    HTML: escapeHtml(text),
    'HTML of Python': escapeHtml(text).replaceAll('&#39;', '&#x27;'),
    'HTML of Go': escapeHtml(text).replaceAll('&quot;', '&#34;').replaceAll('+', '&#43;'),
    'HTML of Handlebars': escapeHtml(text).replaceAll('&#39;', '&#x27;').replaceAll('=', '&#x3D;'),
    'HTML with a number for every sign': text.replaceAll(/[^a-z\d]/gi, (sign) => `&#${sign.charCodeAt(0)};`),
    'base64 at the first offset': shifted(0).toString('base64'),
    'base64 at the second offset': shifted(1).toString('base64'),
    'base64 at the third offset': shifted(2).toString('base64'),
    'base64url at the first offset': shifted(0).toString('base64url'),
    'base64url at the second offset': shifted(1).toString('base64url'),
    'base64url at the third offset': shifted(2).toString('base64url'),
    'basic credentials': Buffer.from(`user:${text}`).toString('base64'),
  };
}

function escapeHtml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replaceAll(/[&<>"']/g, (sign) => names[sign] ?? sign);
}

/** What came in the header that `in` names, without `Bearer `. */
function credentialOf({ request, parameters }: Asked): string {
  const header = request.headers[(parameters.get('in') ?? 'authorization').toLowerCase()];
  return String(header ?? 'nothing').replace(/^Bearer /, '');
}

/** The credential in every form, in lines. */
function echo(asked: Asked): string {
  const lines = Object.entries(formsOf(credentialOf(asked))).map(([form, text]) => `${form}: ${text}`);
  return `${asked.arrived.head}\n${lines.join('\n')}\n`;
}

const compressions: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: gzipSync,
  deflate: deflateSync,
  'raw-deflate': deflateRawSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
};

/** Headers of an upstream that must not come through. */
export const kept = [
  ...['Set-Cookie', 'Set-Cookie2', 'Alt-Svc', 'Strict-Transport-Security', 'Clear-Site-Data'],
  ...['Access-Control-Allow-Origin', 'Access-Control-Allow-Credentials', 'Access-Control-Allow-Headers'],
  ...['Access-Control-Expose-Headers', 'Access-Control-Max-Age'],
  ...['Secrets-Gateway-Error', 'Secrets-Gateway-Anything', 'Keep-Alive', 'Proxy-Authenticate', 'Upgrade'],
];

/** How an upstream behaves, by the last segment of the path. */
export const upstreamAnswers: Record<string, Answer> = {
  ok: ({ response }) => response.end('fine'),
  /** The status that the query names, with a body where it may have one. */
  status: ({ response, parameters }) => {
    const status = Number(parameters.get('is'));
    response.writeHead(status, { 'content-type': 'text/plain', 'x-upstream': 'yes' });
    response.end(status === 204 || status === 304 ? undefined : `status ${status}`);
  },
  echo: async (asked) => {
    await asked.arrived.body;
    const text = credentialOf(asked);
    const headers = Object.values(formsOf(text)).map((form, index) => [`X-Echo-${index}`, form] as const);
    for (const [name, form] of headers) asked.response.setHeader(name, form);
    asked.response.setHeader('Content-Type', 'text/plain');
    asked.response.end(echo(asked));
  },
  /** What came, as JSON: the body too. */
  record: async ({ arrived, response }) => {
    const body = (await arrived.body).toString('latin1');
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ method: arrived.method, target: arrived.target, body }));
  },
  mirror: ({ request, response }) => pipeline(request, response).catch(() => {}),
  swallow: async ({ request, response }) => {
    let bytes = 0;
    for await (const chunk of request) bytes += chunk.length;
    response.end(String(bytes));
  },
  'never-read': () => {},
  redirect: ({ response, parameters }) => {
    response.writeHead(Number(parameters.get('is') ?? 302), { location: parameters.get('to') ?? '/elsewhere' });
    response.end('over there');
  },
  never: () => {},
  /** A head, a piece of the body, and then nothing. */
  stall: ({ response }) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('so far');
  },
  endless: ({ response }) => {
    const piece = 'without an end '.repeat(4000);
    const more = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    more();
  },
  /** As many bytes as the query names. */
  large: ({ response, parameters }) => {
    let left = Number(parameters.get('bytes'));
    const piece = Buffer.alloc(64 * 1024, 'large ');
    response.writeHead(200, { 'content-length': left, 'content-type': 'application/octet-stream' });
    const more = () => {
      while (left > 0 && !response.destroyed) {
        const size = Math.min(left, piece.length);
        left -= size;
        if (!response.write(piece.subarray(0, size))) return;
      }
      if (left === 0) response.end();
    };
    response.on('drain', more);
    more();
  },
  /** Compressed although nobody asked for it. */
  compressed: (asked) => {
    const names = (asked.parameters.get('by') ?? '').split(',');
    const bytes = names.reduce<Buffer>(
      (before, name) => compressions[name]?.(before) ?? before,
      Buffer.from(echo(asked)),
    );
    const written = asked.parameters.get('as') ?? names.join(', ').replace('raw-', '');
    asked.response.writeHead(200, { 'content-encoding': written, 'content-length': bytes.length });
    asked.response.end(bytes);
  },
  /** Inflates to a thousand times what is sent: 64 MiB. */
  bomb: ({ response }) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end(gzipSync(Buffer.alloc(64 * 1024 * 1024)));
  },
  /** Every byte in a chunk, and in a packet, of its own. */
  bytes: async (asked) => {
    asked.request.socket.setNoDelay(true);
    for (const byte of Buffer.from(echo(asked))) {
      await new Promise((resolve) => asked.response.write(Buffer.of(byte), resolve));
    }
    asked.response.end();
  },
  /** Answers with these bytes, unchanged, and closes. */
  raw: ({ request, parameters }) => {
    request.socket.end(Buffer.from(parameters.get('bytes') ?? '', 'latin1'));
  },
  /** Fewer bytes than it said. */
  short: (asked) => {
    const text = echo(asked);
    asked.request.socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length + 100}\r\n\r\n${text}`);
  },
  /** More bytes than it said: what follows looks like another answer. */
  long: (asked) => {
    const second = `HTTP/1.1 200 OK\r\nX-Smuggled: yes\r\nContent-Length: 3\r\n\r\n${credentialOf(asked)}`;
    asked.request.socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour${second}`);
  },
  reset: ({ request, response }) => {
    response.writeHead(200, { 'content-length': '100000' });
    response.write('before the reset', () => request.socket.resetAndDestroy());
  },
  'reset-first': ({ request }) => request.socket.resetAndDestroy(),
  switching: ({ request }) => {
    request.socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: evil\r\nConnection: Upgrade\r\n\r\nother words');
  },
  /** Says that it goes on, twice, and gives hints before it answers. */
  informed: (asked) => {
    asked.response.writeContinue();
    asked.request.socket.write(`HTTP/1.1 103 Early Hints\r\nLink: <${credentialOf(asked)}>; rel=preload\r\n\r\n`);
    asked.response.end('after the hints');
  },
  trailers: (asked) => {
    asked.response.writeHead(200, { trailer: 'X-Trailer' });
    asked.response.write('body');
    asked.response.addTrailers({ 'X-Trailer': credentialOf(asked), 'Set-Cookie': 'a=b' });
    asked.response.end();
  },
  flood: ({ request, parameters }) => {
    const lines = Array.from(
      { length: Number(parameters.get('lines')) },
      (_, index) => `X-${index}: ${'v'.repeat(40)}`,
    );
    request.socket.end(`HTTP/1.1 200 OK\r\n${lines.join('\r\n')}\r\nContent-Length: 2\r\n\r\nok`);
  },
  cookies: (asked) => {
    for (const name of kept) asked.response.setHeader(name, [`${name} of the upstream`, 'and another']);
    asked.response.setHeader('Connection', 'close, X-Hop');
    asked.response.setHeader('X-Hop', 'for this connection');
    asked.response.setHeader('X-Passes', 'passes');
    asked.response.end('with cookies');
  },
  events: ({ upstream, response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    upstream.streams.add(response);
    upstream.changed();
  },
};
