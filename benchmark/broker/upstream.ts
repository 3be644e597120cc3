import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { event, value, type Workload, workloads } from './workloads.ts';

// The provider, in its own process. It refuses what does not bring the value.

export interface UpstreamPorts {
  readonly http: number;
  readonly https: number;
}

const text = '{"id":"one","object":"answer","text":"It answers with what an API would, in about as many headers."}\n';
const bodies = new Map(workloads.map(({ path, answerBytes }) => [path, Buffer.alloc(answerBytes, text)]));

/** About what the answer of an API brings. */
const headers = {
  'Content-Type': 'application/json',
  'Cache-Control': 'no-cache',
  Vary: 'Accept-Encoding',
  'X-Request-Id': 'req_0123456789abcdef',
  'X-RateLimit-Limit': '10000',
  'X-RateLimit-Remaining': '9999',
  'Strict-Transport-Security': 'max-age=31536000',
};

const answer: RequestListener = (request, response) => {
  const workload = workloads.find(({ path }) => path === request.url);
  if (!workload || request.headers.authorization !== `Bearer ${value}`) {
    response.writeHead(workload ? 401 : 404).end();
    return;
  }
  let received = 0;
  request.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  request.on('end', () => {
    if (received === workload.requestBytes) void send(workload, request, response);
    else response.writeHead(400).end();
  });
};

async function send(workload: Workload, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (workload.events === 0) {
    response.writeHead(200, { ...headers, 'Content-Length': workload.answerBytes }).end(bodies.get(workload.path));
    return;
  }
  request.socket.setNoDelay(true);
  response.writeHead(200, { ...headers, 'Content-Type': 'text/event-stream' });
  for (let sent = 0; sent < workload.events; sent += 1) {
    response.write(event);
    await nextTurn();
  }
  response.end();
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const [pem] = process.argv.slice(2);
if (pem === undefined) throw new Error('the file with the key and the certificate is missing');
const both = readFileSync(pem);
const ports: UpstreamPorts = {
  http: await listen(createServer({ keepAliveTimeout: 60_000 }, answer)),
  https: await listen(createSecureServer({ key: both, cert: both, keepAliveTimeout: 60_000 }, answer)),
};
process.send?.(ports);
process.on('disconnect', () => process.exit(0));
