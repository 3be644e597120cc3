import { createSocket, type Socket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createResolve, type Resolve } from '../../../src/broker/upstream/resolve.ts';

// A DNS server (RFC 1035) that knows one name, and leaves questions for some others without an answer.

const [typeA, typeAaaa] = [1, 28];
const known: Readonly<Record<string, Partial<Record<number, Buffer>>>> = {
  'api.test': {
    [typeA]: Buffer.from([192, 0, 2, 7]),
    [typeAaaa]: Buffer.from('20010db8000000000000000000000007', 'hex'),
  },
  'old.test': { [typeA]: Buffer.from([192, 0, 2, 8]) },
};
let server: Socket;
let asked: string[] = [];

beforeAll(async () => {
  server = createSocket('udp4');
  server.on('message', (question, { port, address }) => {
    const { name, type, end } = questionIn(question);
    asked.push(`${name} ${type}`);
    if (name.endsWith('silent.test')) return;
    const data = known[name]?.[type];
    const code = known[name] ? 0 : 3;
    const head = Buffer.from(question.subarray(0, 12));
    head.writeUInt16BE(0x8180 | code, 2);
    head.writeUInt16BE(data ? 1 : 0, 6);
    head.writeUInt32BE(0, 8);
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt16BE(data?.length ?? 0, 10);
    const answer = data ? [record, data] : [];
    server.send(Buffer.concat([head, question.subarray(12, end), ...answer]), port, address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());

function questionIn(message: Buffer) {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

/** @param system takes the place of the machine's hosts file */
function resolveWith(system: Resolve = () => Promise.reject(new Error('the system was asked'))): Resolve {
  asked = [];
  const dns = () => {
    const servers = new Resolver({ timeout: 200, tries: 1 });
    servers.setServers([`127.0.0.1:${server.address().port}`]);
    return servers;
  };
  return createResolve({ dns, system });
}

it('finds all addresses of a name, of both families', async () => {
  expect(await resolveWith()('api.test')).toEqual([
    { address: '192.0.2.7', family: 4 },
    { address: '2001:db8::7', family: 6 },
  ]);
  expect(await resolveWith()('old.test')).toEqual([{ address: '192.0.2.8', family: 4 }]);
});

it('asks the system for what DNS does not know, as for a name of the hosts file', async () => {
  const entry = [{ address: '192.0.2.9', family: 4 }];
  expect(await resolveWith(async (name) => (name === 'in-hosts.test' ? entry : []))('in-hosts.test')).toEqual(entry);
});

it('asks the system for one name at a time: a server may deny a name to DNS, and then be silent', async () => {
  const running: string[] = [];
  const { promise, resolve: answer } = Promise.withResolvers<[]>();
  const resolve = resolveWith((name) => {
    running.push(name);
    return promise;
  });
  const found = ['one.test', 'two.test', 'three.test'].map(resolve);
  // DNS has denied all of them by the time that it answers for another.
  await expect.poll(() => asked).toHaveLength(6);
  expect(await resolve('api.test')).toHaveLength(2);
  expect(running).toHaveLength(1);
  answer([]);
  expect(await Promise.all(found)).toEqual([[], [], []]);
  expect(running).toHaveLength(3);
});

it('finds names while others wait for DNS servers that do not answer, and asks no thread for those', async () => {
  const resolve = resolveWith();
  const silent = Array.from({ length: 50 }, (_, index) => resolve(`${index}.silent.test`));
  const ended = Promise.allSettled(silent);
  await expect(Promise.race([resolve('api.test'), ended.then(() => 'too late')])).resolves.toHaveLength(2);
  expect(await ended).toEqual(
    silent.map(() => ({ status: 'rejected', reason: expect.objectContaining({ code: 'ETIMEOUT' }) })),
  );
});

it('looks a name up once for those who ask at the same time, and anew for the next', async () => {
  const resolve = resolveWith();
  await Promise.all([resolve('old.test'), resolve('old.test')]);
  expect(asked.toSorted()).toEqual(['old.test 1', 'old.test 28']);
  await resolve('old.test');
  expect(asked).toHaveLength(4);
});

it.each(['localhost', 'LOCALHOST.', 'a.localhost'])('knows %s without asking', async (name) => {
  const addresses = await resolveWith()(name);
  expect(addresses.map(({ address }) => address)).toEqual(['127.0.0.1', '::1']);
  expect(asked).toEqual([]);
});
