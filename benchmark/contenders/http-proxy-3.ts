import { Agent, createServer } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createProxyServer } from 'http-proxy-3';
import { value } from '../broker/workloads.ts';

const [target = ''] = process.argv.slice(2);
const agent = new (target.startsWith('https:') ? SecureAgent : Agent)({ keepAlive: true });
const proxy = createProxyServer({ target, agent, headers: { authorization: `Bearer ${value}` } });
proxy.on('error', (_error, _request, response) => void response.destroy());

const server = createServer((request, response) => proxy.web(request, response));
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
