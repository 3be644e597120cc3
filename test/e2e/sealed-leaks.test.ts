import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDelivery, type SealingKey, sealValue } from '../../src/client/index.ts';
import { newApiKey, withApiKey } from '../support/api-keys.ts';
import { openDatabaseWriter } from '../support/database-writer.ts';
import { resolveSecrets } from '../support/deliveries.ts';
import { type GraphQLAnswer, type RequestOptions, storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, updateSecret } from '../support/graphql.ts';
import { LeakDetector, type Marker } from '../support/leak-detector.ts';
import { LoggingProxy } from '../support/logging-proxy.ts';
import { stored } from '../support/stored.ts';
import { ToldSpans } from '../support/told-spans.ts';

const create = createSecret('id name maskedValue', 'warnings { message }');
const update = updateSecret('id maskedValue');
const resolve = resolveSecrets('id name maskedValue notes');
const random = () => randomBytes(24).toString('hex');
const keyringFile = 'keyring.json';

/** A pair whose private half can be looked for. */
function newPair(crv: string): { publicJwk: JWK; privateJwk: JWK } {
  const { publicKey, privateKey } =
    crv === 'X25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { publicJwk: publicKey.export({ format: 'jwk' }), privateJwk: privateKey.export({ format: 'jwk' }) };
}

const bytesOf = (base64url = '') => Buffer.from(base64url, 'base64url');

/** The part of a JWE that no other text has. */
const ciphertextOf = (jwe: string) => jwe.split('.')[3] ?? '';

describe.each(storeNames)('what goes in and comes out sealed, on %s', (store) => {
  let gateway: TestGateway;
  /** Between all clients and the gateway. */
  let proxy: LoggingProxy;
  let spans: ToldSpans;
  let sealingKeys: SealingKey[];
  /** Every place but the proxy and the file of the keyring. */
  const places: Record<string, string | Buffer> = {};
  /** Sealed by a client; some of them were delivered, too. */
  const values: string[] = [];
  /** Of recipients, one of which was sent by mistake. */
  const recipients: Buffer[] = [];
  let sentByMistake: Buffer;
  /** Ciphertexts that came from clients, and that went to them. */
  const seals: string[] = [];
  const deliveries: string[] = [];
  const opened = new Set<string>();

  beforeAll(async () => {
    spans = new ToldSpans();
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off', LOG_LEVEL: 'trace' });
    proxy = await LoggingProxy.start(gateway.url);
    gateway.url = proxy.url;
    sealingKeys = (await gateway.run('{ sealingKeys { kid alg jwk } }')).data.sealingKeys;
    for (const owner of [{}, { teamId: 'red' }, { teamId: 'red', connectorId: 'crm' }]) await writeAndResolve(owner);
    await refuseSeals();
    await refuseDeliveries();
    places.metrics = await (await fetch(new URL('/metrics', gateway.url))).text();
    places.answers = proxy.exchanges.map(({ answer }) => JSON.stringify(answer)).join('\n');
    const atWork = await stored(gateway, keyringFile);
    await gateway.stop();
    places.stored = Buffer.concat([atWork, await stored(gateway, keyringFile)]);
    places.spans = spans.text();
    places.log = gateway.log.join('');
  }, 60_000);
  afterAll(async () => {
    spans.stop();
    await proxy.close();
    await gateway.close();
  });

  async function seal(bound: { name?: string; id?: string; owner?: object; key?: SealingKey | undefined }) {
    const { key = sealingKeys[0] as SealingKey, ...header } = bound;
    const value = `-----BEGIN KEY-----\r\n${random()}\r\n-----END KEY-----`;
    const sealedValue = await sealValue(value, { sealingKey: key, subject: 'ada', ...header });
    values.push(value);
    seals.push(ciphertextOf(sealedValue));
    return { value, sealedValue };
  }

  function keep(answer: GraphQLAnswer): GraphQLAnswer {
    for (const { jwe } of answer.data?.resolveSecrets?.deliveries ?? []) deliveries.push(ciphertextOf(jwe));
    return answer;
  }

  async function written(owner: object, key = sealingKeys[0]): Promise<{ id: string; name: string }> {
    const name = `S_${random()}`;
    const { sealedValue } = await seal({ name, owner, key });
    const { data } = await gateway.run(create, { input: { owner, name, provider: 'p', sealedValue } });
    const { id } = data.createSecret.secret;
    const next = await seal({ id, owner, key });
    await gateway.run(update, { input: { id, sealedValue: next.sealedValue } });
    return { id, name };
  }

  /** With a token and, where there is a team, with an API key. */
  async function resolvers(owner: { teamId?: string; connectorId?: string }): Promise<RequestOptions[]> {
    const token = { token: await gateway.issuer.token({ scope: 'secrets:resolve' }) };
    const { teamId } = owner;
    if (!teamId) return [token];
    const { key } = await newApiKey(gateway, { ...owner, teamId, scopes: ['secrets:resolve'] });
    return [token, withApiKey(key)];
  }

  async function writeAndResolve(owner: { teamId?: string; connectorId?: string }): Promise<void> {
    const made = [];
    for (const key of sealingKeys) made.push(await written(owner, key));
    const selections = [{}, { names: made.map(({ name }) => name) }, { ids: made.map(({ id }) => id) }];
    for (const options of await resolvers(owner)) {
      for (const [index, selection] of selections.entries()) {
        const { publicJwk, privateJwk } = newPair(index % 2 ? 'P-256' : 'X25519');
        recipients.push(bytesOf(privateJwk.d));
        const input = { owner, ...selection, recipient: publicJwk, purpose: 'nightly' };
        const { data } = keep(await gateway.run(resolve, { input }, options));
        for (const { jwe } of data.resolveSecrets.deliveries) {
          opened.add((await openDelivery(jwe, privateJwk)).value);
        }
      }
    }
  }

  async function refuseSeals(): Promise<void> {
    const { id, name } = await written({});
    const good = await seal({ id });
    await gateway.run(update, { input: { id, sealedValue: good.sealedValue } });
    const wrong = [
      good.sealedValue,
      `${good.sealedValue}=`,
      (await seal({ id: crypto.randomUUID() })).sealedValue,
      (await seal({ id, owner: { teamId: 'red' } })).sealedValue,
      (await seal({ name })).sealedValue,
      (await seal({ id, key: { ...(sealingKeys[0] as SealingKey), kid: 'another' } })).sealedValue,
      (await seal({ id })).sealedValue.replace(/.{4}$/, 'AAAA'),
    ];
    for (const sealedValue of wrong) {
      const { errors } = await gateway.run(update, { input: { id, sealedValue } });
      expect(errors[0]?.extensions.code).toBe('UNPROCESSABLE_CONTENT');
    }
  }

  async function refuseDeliveries(): Promise<void> {
    const { id } = await written({});
    const [options = {}] = await resolvers({});
    const { publicJwk, privateJwk } = newPair('X25519');
    sentByMistake = bytesOf(privateJwk.d);
    const d = privateJwk.d ?? '';
    for (const recipient of [
      privateJwk,
      d,
      [d],
      { ...publicJwk, x: `${d}=` },
      { ...publicJwk, alg: d },
      { [d]: d },
      { ...publicJwk, crv: d },
    ]) {
      const { errors } = await gateway.run(resolve, { input: { ids: [id], recipient } }, options);
      expect(errors[0]?.extensions.code).toBe('UNPROCESSABLE_ENTITY');
    }
    const inline = `mutation { resolveSecrets(input: { recipient: { kty: "OKP", d: "${d}", x: "${d}" } }) { missing } }`;
    expect((await gateway.run(inline, {}, options)).errors).toHaveLength(1);
    const writer = openDatabaseWriter(gateway.databaseUrl);
    const [row = {}] = await writer.records([id]);
    await writer.replaceRecords([id], [{ ...row, name: 'ANOTHER' }]);
    await writer.close();
    const tampered = await gateway.run(resolve, { input: { recipient: publicJwk } }, options);
    expect(tampered.errors[0]?.extensions.code).toBe('INTERNAL_SERVER_ERROR');
  }

  /** In which places the markers are. */
  function found<M extends Marker>(markers: readonly M[], among: Record<string, string | Buffer> = places) {
    const detector = new LeakDetector(markers);
    return Object.entries(among).flatMap(([place, seen]) => (detector.find(seen).size > 0 ? [place] : []));
  }

  async function keysOfTheGateway(): Promise<Buffer[]> {
    const { keys } = JSON.parse(await readFile(join(gateway.directory, keyringFile), 'utf8'));
    return keys.map(({ d, k }: JWK) => bytesOf(d ?? k));
  }

  it('no value is in a request, an answer, the log at its most detailed, a metric, a span, a file or a row', () => {
    expect(values.length).toBeGreaterThan(20);
    expect(found(values.map((value) => value.split('\r\n')[1] ?? ''))).toEqual([]);
    expect(found(values, { proxy: proxy.record() })).toEqual([]);
  });

  it('no private key of a recipient is there either, even one that was sent as the recipient', () => {
    expect(found([...recipients, sentByMistake])).toEqual([]);
    expect(found(recipients, { proxy: proxy.record() })).toEqual([]);
  });

  it('no key of the gateway is anywhere but in the file of the keyring', async () => {
    const keys = await keysOfTheGateway();
    expect(keys.map(({ length }) => length)).toEqual(Array(5).fill(32));
    expect(found(keys)).toEqual([]);
    expect(found(keys, { proxy: proxy.record() })).toEqual([]);
  });

  it('nothing keeps what was sealed, on either way: a log, a metric, a span, a file or a row', () => {
    const { answers: _, ...kept } = places;
    expect(deliveries.length).toBeGreaterThan(20);
    expect(found(seals)).toEqual([]);
    expect(found(deliveries, kept)).toEqual([]);
  });

  it('would be found: the proxy saw all that was sealed, the file has the keys, and every delivery was opened', async () => {
    const seen = proxy.record();
    for (const jwe of [...seals, ...deliveries]) expect(seen).toContain(jwe);
    expect(found([sentByMistake], { proxy: seen })).toEqual(['proxy']);
    const file = await readFile(join(gateway.directory, keyringFile));
    expect(new LeakDetector(await keysOfTheGateway()).find(file).size).toBe(5);
    expect(values.filter((value) => opened.has(value))).toHaveLength(6);
    const planted = random();
    for (const text of [planted, btoa(`a${planted}`)]) {
      expect(found([planted], { log: `${places.log}${text}` })).toEqual(['log']);
    }
  });

  it('was looked for in places that tell of it', () => {
    expect(places.spans).toContain('crypto.openSealedInput');
    expect(places.log).toContain('resolveSecrets');
    expect(places.metrics).toContain('resolveSecrets');
    expect(places.stored?.includes('nightly')).toBe(true);
    expect(places.answers).toContain('UNPROCESSABLE_CONTENT');
  });
});
