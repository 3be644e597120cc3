import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { rolldown } from 'rolldown';

const gateway = process.env.SECRETS_GATEWAY_URL ?? 'http://127.0.0.1:4000/graphql';

const files: Record<string, { type: string; body: string | Promise<string> }> = {
  '/': { type: 'text/html', body: read('index.html') },
  '/page.css': { type: 'text/css', body: read('page.css') },
  '/page.js': { type: 'text/javascript', body: bundle() },
};

function read(name: string): Promise<string> {
  return readFile(join(import.meta.dirname, name), 'utf8');
}

/** The page's script with the client of the gateway in it. */
async function bundle(): Promise<string> {
  await using build = await rolldown({
    input: join(import.meta.dirname, 'page.ts'),
    platform: 'browser',
    tsconfig: join(import.meta.dirname, 'tsconfig.json'),
  });
  const { output } = await build.generate({ format: 'es', minify: true });
  return output[0].code;
}

const server = createServer((request, response) => {
  const answer = request.url === '/graphql' ? passOn : serve;
  answer(request, response).catch((error: Error) => {
    console.error(error.message);
    response.writeHead(502).end();
  });
});

async function serve({ url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
  const file = files[url];
  if (!file) return void response.writeHead(404).end();
  const body = await file.body;
  response.writeHead(200, {
    'content-type': `${file.type}; charset=utf-8`,
    // Whatever gets into the page can neither load a script nor send anything anywhere else.
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

/** A proxy in front of the gateway, as there may be many. It prints what it passes on, without the credentials. */
async function passOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { authorization, accept, 'content-type': type } = request.headers;
  const body = await text(request);
  console.log(`\n→ ${body}`);
  const answer = await fetch(gateway, {
    method: 'POST',
    headers: { ...(authorization && { authorization }), accept: accept ?? '*/*', 'content-type': type ?? '' },
    body,
  });
  const answered = await answer.text();
  console.log(`← ${answer.status} ${answered}`);
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'application/json' });
  response.end(answered);
}

await files['/page.js']?.body;
server.listen(Number(process.env.PORT ?? 4010), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(`The page: http://127.0.0.1:${port}/\nBelow is what a proxy between it and ${gateway} sees.`);
});
