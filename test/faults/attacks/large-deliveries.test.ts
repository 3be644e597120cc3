import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDelivery } from '../../../src/client/open-delivery.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { type AttackAnswer, AttackedGateway, mebibyte, typeOf } from '../../support/attacked-gateway.ts';
import { newRecipient, resolveSecrets, type TestRecipient } from '../../support/deliveries.ts';
import { createSecret } from '../../support/graphql.ts';

/** What those are told who come while others are served. */
const late = ['SERVICE_UNAVAILABLE', 'GATEWAY_TIMEOUT'];
const kibibyte = 1024;
const large = { teamId: 'red', connectorId: 'large' };
const many = { teamId: 'red', connectorId: 'many' };
/** 64 KiB that do not compress and differ for each secret. */
const large64 = (index: number) => `${index} é`.padEnd(64 * kibibyte - 1, `${index}x`);

/** What is read at once of a secret whose envelope is not large: almost 8 KiB of it, and the longest notes. */
const mostInOneRead = { value: 'v'.repeat(5300), notes: 'é'.repeat(2048) };

let gateway: AttackedGateway;
let recipient: TestRecipient;

beforeAll(async () => {
  gateway = await AttackedGateway.start();
  recipient = await newRecipient();
  for (let made = 0; made < 256; made += 1) await create({ owner: large, name: `${made}`, value: large64(made) });
  for (let made = 0; made < 1000; made += 50) {
    const some = Array.from({ length: 50 }, (_, i) => ({ owner: many, name: `${made + i}`, ...mostInOneRead }));
    await Promise.all(some.map(create));
  }
}, 120_000);
afterAll(() => gateway.close(...late));

async function create(input: object): Promise<void> {
  const { status, text } = await gateway.run(createSecret(), { input });
  expect([status, text.includes('"errors"')]).toEqual([200, false]);
}

async function resolve(input: object, sub = 'ada', fields = 'name'): Promise<AttackAnswer> {
  const variables = { input: { recipient: recipient.publicJwk, ...input } };
  const headers = await gateway.caller({ sub, scope: 'secrets:resolve' });
  return gateway.post(JSON.stringify({ query: resolveSecrets(fields), variables }), headers);
}

const opensWhole = async ({ status, text }: AttackAnswer) => {
  expect(status).toBe(200);
  const { deliveries } = JSON.parse(text).data.resolveSecrets;
  expect(deliveries).toHaveLength(256);
  for (const { secret, jwe } of deliveries) {
    expect((await openDelivery(jwe, recipient.privateKey)).value === large64(Number(secret.name))).toBe(true);
  }
};

it('16 MiB of values are delivered whole to a gateway of 112 MB, and others are answered meanwhile', {
  timeout: 120_000,
}, async () => {
  let [shortestPieceMs, most, others] = [Number.POSITIVE_INFINITY, 0, 0];
  for (let round = 0; round < 3 && !(shortestPieceMs < 50 && others > 10); round += 1) {
    await gateway.take();
    let isDone = false;
    const answering = resolve({ owner: large }).finally(() => {
      isDone = true;
    });
    for (; !isDone; others += 1) await gateway.askAsOthersDo();
    await opensWhole(await answering);
    const measured = await gateway.take();
    shortestPieceMs = Math.min(shortestPieceMs, measured.longestPieceMs);
    most = Math.max(most, gateway.growthOf(measured));
  }
  console.info(`${shortestPieceMs.toFixed(1)} ms in one piece, ${(most / mebibyte).toFixed()} MiB, ${others} others`);
  expect(shortestPieceMs).toBeLessThan(50);
  expect(most).toBeLessThan(160 * mebibyte);
  expect(others).toBeGreaterThan(10);
});

it('large deliveries of one caller wait for each other, and are all made', { timeout: 60_000 }, async () => {
  // 2.5 MiB.
  const names = Array.from({ length: 40 }, (_, index) => `${index}`);
  const answers = await Promise.all([
    ...Array.from({ length: 3 }, () => resolve({ owner: large, names })),
    resolve({ owner: many, names: ['1'] }, 'bob'),
  ]);
  expect(answers.map(({ text }) => JSON.parse(text).data.resolveSecrets.deliveries.length)).toEqual([40, 40, 40, 1]);
});

it('sixty deliveries of a thousand secrets to one caller at once read them one after the other', {
  timeout: 120_000,
}, async () => {
  await gateway.take();
  const answers = await Promise.all(Array.from({ length: 60 }, () => resolve({ owner: many })));
  const refused = answers.filter(({ status }) => status !== 200);
  expect(answers.length - refused.length).toBeGreaterThan(0);
  for (const { text } of refused) {
    expect(late).toContain(JSON.parse(text).errors[0].extensions.code);
  }
  const growth = gateway.growthOf(await gateway.take());
  console.info(`${refused.length} of 60 refused, ${(growth / mebibyte).toFixed()} MiB`);
  expect(growth).toBeLessThan(160 * mebibyte);
  await gateway.askAsOthersDo();
});

it('one byte more than 16 MiB in a request is refused, in one field or in several, before anything is audited', {
  timeout: 60_000,
}, async () => {
  await create({ owner: large, name: 'one byte', value: 'x' });
  const audited = () => auditedDeliveries(large);
  const before = await audited();
  expect(typeOf(await resolve({ owner: large }))).toBe('delivery_limit_error');
  expect(await audited()).toBe(before);
  // Of two fields the first was carried out.
  const two = `mutation ($a: ResolveSecretsInput!, $b: ResolveSecretsInput!) {
    a: resolveSecrets(input: $a) { deliveries { jwe } } b: resolveSecrets(input: $b) { deliveries { jwe } }
  }`;
  const names = (some: number[]) => ({ owner: large, names: some.map(String), recipient: recipient.publicJwk });
  const variables = { a: names([0, 1]), b: names(Array.from({ length: 255 }, (_, index) => index)) };
  const headers = await gateway.caller({ scope: 'secrets:resolve' });
  expect(typeOf(await gateway.post(JSON.stringify({ query: two, variables }), headers))).toBe('delivery_limit_error');
  expect(await audited()).toBe(before + 2);
});

it('a thousand secrets, and a thousand names that nobody has, hold the event loop for less than 50 ms', {
  timeout: 60_000,
}, async () => {
  const marks = '\u0301\u0323'.repeat(15);
  for (const [what, input] of [
    ['a thousand secrets', { owner: many, purpose: 'p'.repeat(255) }],
    ['a thousand long names', { owner: many, names: Array.from({ length: 1000 }, (_, i) => `${i}${'é'.repeat(200)}`) }],
    [
      'names of combining marks',
      { owner: many, names: Array.from({ length: 500 }, (_, i) => `${i}${`a${marks}`.repeat(16)}`) },
    ],
  ] as const) {
    let shortestPieceMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 4 && shortestPieceMs >= 50; round += 1) {
      await gateway.take();
      expect((await resolve(input)).status).toBe(200);
      shortestPieceMs = Math.min(shortestPieceMs, (await gateway.take()).longestPieceMs);
    }
    console.info(`${what}: ${shortestPieceMs.toFixed(1)} ms in one piece`);
    expect(shortestPieceMs).toBeLessThan(50);
  }
});

async function auditedDeliveries({ teamId, connectorId }: typeof large): Promise<number> {
  const store = await openStore(`sqlite:${join(gateway.shell.directory, '.data/secrets.db')}`);
  try {
    const events = await store.auditEvents({ type: 'connector', teamId, connectorId }, 0, 100_000);
    return events.filter(({ type }) => type === 'secret.resolved').length;
  } finally {
    await store.close();
  }
}
