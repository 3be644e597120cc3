import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Connections } from '../../src/http/connections.ts';
import { HttpResponse } from '../../src/http/response.ts';

let server: Server;
let held: HttpResponse[];
const onMakeRoom = vi.fn();

beforeEach(async () => {
  held = [];
  const connections = new Connections(onMakeRoom, 3);
  server = createServer<typeof IncomingMessage, typeof HttpResponse>(
    { ServerResponse: HttpResponse },
    (request, response) => {
      const { socket } = request;
      connections.begin(socket, response);
      response.once('close', () => connections.end(socket, response));
      if (request.url === '/hold') held.push(response);
      else response.end('answered');
    },
  );
  server.on('connection', (socket) => connections.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onMakeRoom.mockClear();
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function open(): Promise<Socket> {
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection');
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await accepted;
  return socket;
}

async function ask(socket: Socket): Promise<void> {
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'data');
}

it('when there are too many connections, the one that has waited for a request for longest makes room', async () => {
  const [first, second, third] = [await open(), await open(), await open()];
  second.write('GET / HTTP/1.1\r\nHost: loc');
  await ask(first);
  const secondClosed = once(second, 'close');
  const fourth = await open();
  await secondClosed;
  expect(onMakeRoom).toHaveBeenCalledTimes(1);
  await Promise.all([ask(first), ask(third), ask(fourth)]);
});

it('no connection that is being answered makes room', async () => {
  const sockets = [await open(), await open(), await open()];
  for (const socket of sockets) socket.write('GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await expect.poll(() => held).toHaveLength(3);
  const late = await open();
  await once(late, 'close');
  for (const response of held) response.end('answered');
  await Promise.all(sockets.map((socket) => socket.readableLength > 0 || once(socket, 'data')));
});

it('each of many connections that come at once finds another that makes room', () => {
  const connections = new Connections(onMakeRoom, 3);
  const sockets = Array.from({ length: 6 }, () => new Socket());
  for (const socket of sockets) connections.add(socket);
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true, true, false, false, false]);
  for (const socket of sockets) socket.destroy();
});
