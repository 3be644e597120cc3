import { Agent, createServer, request as send } from 'node:http';
import { Agent as SecureAgent, request as sendSecurely } from 'node:https';
import type { AddressInfo } from 'node:net';
import { value } from '../broker/workloads.ts';

// The least that puts a key into requests: no credential, no rule, no audit, and nothing is taken out of the answer.

const [origin] = process.argv.slice(2);
const { protocol, hostname, port } = new URL(origin ?? '');
const isSecure = protocol === 'https:';
const agent = new (isSecure ? SecureAgent : Agent)({ keepAlive: true });
const start = isSecure ? sendSecurely : send;

const server = createServer((request, response) => {
  const { method, url: path } = request;
  const headers = { ...request.headers, authorization: `Bearer ${value}` };
  const forwarded = start({ agent, hostname, port, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(response);
  });
  forwarded.on('error', () => response.destroy());
  request.pipe(forwarded);
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
