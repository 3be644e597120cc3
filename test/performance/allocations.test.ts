import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CommandLine, type RunningGateway } from '../support/command-line.ts';
import { createSecret } from '../support/graphql.ts';

// The bytes that a request allocates differ by a few percent from run to run, however busy the machine is, and go up with
// almost everything that makes a request more expensive. Here the bytes must not grow unnoticed.

const fields = 'id name placeholder maskedValue tags version createdAt updatedAt';
const connections = 8;

let shell: CommandLine;
let gateway: RunningGateway;
const agent = new Agent({ keepAlive: true, maxSockets: connections });

beforeAll(async () => {
  shell = await CommandLine.open();
  const env = { RATE_LIMIT: '999999999/60s', LOG_LEVEL: 'warn' };
  gateway = await shell.serve(env, [join(import.meta.dirname, 'allocated-bytes.ts')]);
  for (let made = 0; made < 100; made += 1) await send(create(), credentials.token);
  const { data } = await gateway.run(
    'mutation { createApiKey(input: { teamId: "demo", name: "k", scopes: ["secrets:read", "secrets:write"] }) { key } }',
  );
  apiKey = data.createApiKey.key;
});
afterAll(async () => {
  agent.destroy();
  await gateway.stop();
  await shell.close();
});

let names = 0;
function create(): object {
  names += 1;
  const input = { name: `NAME_${names}`, provider: 'openai', value: `a value of its own ${names}`, tags: ['a', 'b'] };
  return {
    query: createSecret(fields),
    variables: { input },
  };
}

let apiKey = '';
type Credentials = () => Record<string, string>;
const credentials = {
  none: () => ({}),
  token: () => ({ authorization: `Bearer ${gateway.token}` }),
  apiKey: () => ({ 'x-api-key': apiKey }),
} satisfies Record<string, Credentials>;

function send(body: object, by: Credentials): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json' };
    request(gateway.url, { agent, method: 'POST', headers: { ...headers, ...by() } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    })
      .on('error', reject)
      .end(JSON.stringify(body));
  });
}

const allocatedBytes = async () => (await gateway.ask('how many')) as number;

async function sendMany(count: number, body: () => object, status: number, by: Credentials): Promise<void> {
  for (let sent = 0; sent < count; sent += connections) {
    const statuses = await Promise.all(Array.from({ length: connections }, () => send(body(), by)));
    expect(new Set(statuses)).toEqual(new Set([status]));
  }
}

const list = `{ secrets(first: 20) { totalCount nodes { ${fields} } } }`;

it.each<[string, { body: () => object; status?: number; by?: Credentials; mostKilobytes: number }]>([
  ['a list of 20 with totalCount', { body: () => ({ query: list }), mostKilobytes: 88 }],
  ['a viewer', { body: () => ({ query: '{ viewer { subject scopes } }' }), mostKilobytes: 22 }],
  ['a create', { body: create, mostKilobytes: 59 }],
  [
    'a refusal without credentials',
    { body: () => ({ query: list }), status: 401, by: credentials.none, mostKilobytes: 20 },
  ],
])('%s', { timeout: 120_000 }, async (what, { body, status = 200, by = credentials.token, mostKilobytes }) => {
  let kilobytes = Number.POSITIVE_INFINITY;
  // What else the process does in a round adds to it, and nothing takes away: the smallest of some rounds counts, as code is compiled late on a busy machine.
  for (let round = 1; round <= 6 && kilobytes >= mostKilobytes; round += 1) {
    kilobytes = Math.min(kilobytes, await kilobytesOf(body, status, by));
    console.info(`${what}: ${kilobytes.toFixed(1)} kB`);
  }
  expect(kilobytes).toBeLessThan(mostKilobytes);
});

it('a request leaves nothing for the old generation', { timeout: 120_000 }, async () => {
  const viewer = () => ({ query: '{ viewer { subject scopes } }' });
  await sendMany(3000, viewer, 200, credentials.token);
  const before = (await gateway.ask('old')) as number;
  await sendMany(3200, viewer, 200, credentials.token);
  const kilobytes = (((await gateway.ask('old')) as number) - before) / 3200 / 1000;
  console.info(`a viewer: ${kilobytes.toFixed(2)} kB become old`);
  // What is old stays until a major garbage collection, and what it refers to becomes old as well.
  expect(kilobytes).toBeLessThan(0.5);
});

it('an API key costs no more than a token that is known', { timeout: 240_000 }, async () => {
  const viewer = () => ({ query: '{ viewer { subject scopes } }' });
  const ofToken = await kilobytesOf(viewer, 200, credentials.token);
  const ofKey = await kilobytesOf(viewer, 200, credentials.apiKey);
  console.info(`a viewer: ${ofToken.toFixed(1)} kB by token, ${ofKey.toFixed(1)} kB by API key`);
  // Runs differ by a few percent.
  expect(ofKey).toBeLessThan(ofToken * 1.05);
});

async function kilobytesOf(body: () => object, status: number, by: Credentials): Promise<number> {
  // Code that is not yet compiled allocates more.
  await sendMany(3000, body, status, by);
  const before = await allocatedBytes();
  await sendMany(1600, body, status, by);
  return ((await allocatedBytes()) - before) / 1600 / 1000;
}
