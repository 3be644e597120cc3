import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { DomainError } from '../errors.ts';
import { acceptsGzip } from '../http/accept-encoding.ts';
import { jsonType, prefersHtml } from '../http/media-type.ts';
import { jsonErrors } from '../http/refusal.ts';
import { bodyless, type Route } from '../http/route.ts';
import { isFromThisMachine } from '../http/transport.ts';
import { storageScript } from './graphiql-storage.ts';
import { tabs } from './graphiql-tabs.ts';

const comments = tabs.flatMap(({ query }) => query.match(/#.*/g) ?? []);

/** The page holds everything: it loads nothing, and may call this origin only. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:; style-src 'unsafe-inline'; " +
  "img-src data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What GraphQL over HTTP answers with: a client that prefers one of these is no browser that navigates here. */
const dataTypes = ['application/graphql-response+json', jsonType];

/**
 * `GET /` and `GET /graphql` for a browser: the GraphiQL explorer.
 * @param developmentToken makes the explorer's requests work at the first click
 */
export function graphiql(path: '/' | '/graphql', developmentToken: () => Promise<string>): Route {
  return {
    path,
    methods: ['GET'],
    accepts: ({ method, headers }) => method === 'GET' && prefersHtml(headers.accept, dataTypes),
    admission: 'slot',
    anyHost: false,
    limits: bodyless,
    errors: jsonErrors,
    crossOrigin: false,
    async answer({ request, response }) {
      if (!isFromThisMachine(request)) throw notFromThisMachine();
      await sendPage(response, await developmentToken(), acceptsGzip(request.headers['accept-encoding']));
    },
  };
}

function notFromThisMachine(): DomainError {
  return new DomainError('FORBIDDEN', {
    description:
      'The page holds a development token: open it in a browser on the gateway’s machine, by typing the URL that serve prints, and without a proxy or tunnel in between.',
  });
}

async function sendPage(response: ServerResponse, developmentToken: string, compressed: boolean): Promise<void> {
  // 9 MB that are loaded only when somebody opens the explorer.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const page = renderGraphiQL({
    title: 'secrets-gateway',
    defaultTabs: tabs,
    shouldPersistHeaders: false,
  }).replace('<head>', () => `<head>${storageScript(comments)}${withToken(developmentToken)}`);
  const body = compressed ? await gzipped(page) : page;
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...(compressed && { 'Content-Encoding': 'gzip' }),
    Vary: 'Accept, Accept-Encoding',
    'Content-Security-Policy': contentSecurityPolicy,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
  });
  response.end(body);
}

/** Sends the development token, unless the Headers tab has credentials: two at once would be refused. */
function withToken(developmentToken: string): string {
  return `<script>{
    const send = window.fetch;
    window.fetch = (resource, options = {}) => {
      const headers = new Headers(options.headers ?? (resource instanceof Request ? resource.headers : undefined));
      const hasCredentials = headers.get('authorization') || headers.get('x-api-key');
      if (!hasCredentials) headers.set('authorization', ${JSON.stringify(`Bearer ${developmentToken}`)});
      return send(resource, { ...options, headers });
    };
  }</script>`;
}

const gzipped = promisify(gzip);
