import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDelivery, type SealingKey, sealValue } from '../../src/client/index.ts';
import { awkwardValues } from '../support/awkward-values.ts';
import { LeakDetector, type Marker } from '../support/leak-detector.ts';
import { LoggingProxy } from '../support/logging-proxy.ts';
import { composers, fetchSubgraph } from './examples/compose.ts';
import { startDirectory } from './examples/directory.ts';
import { startRouter } from './support/router.ts';
import { startSecretsGateway } from './support/secrets-gateway.ts';

const routers = {
  'Apollo Gateway': { example: 'apollo-gateway', composer: '@apollo/composition', env: {} },
  'Hive Gateway': { example: 'hive-gateway', composer: '@theguild/federation-composition', env: {} },
  'Hive Gateway with security directives': {
    example: 'hive-gateway',
    composer: '@theguild/federation-composition',
    env: { SECURITY_DIRECTIVES: 'on' },
  },
} as const;

type Jwk = SealingKey['jwk'];

interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the fields that it selected
  data: any;
  errors?: { message: string; extensions: Record<string, unknown> }[];
}

const create = `mutation Create($input: CreateSecretInput!) {
  createSecret(input: $input) { secret { id name version maskedValue owner { ... on User { email } } } }
}`;
const update = `mutation Update($input: UpdateSecretInput!) { updateSecret(input: $input) { secret { id version } } }`;
const resolve = `mutation Resolve($input: ResolveSecretsInput!) {
  resolveSecrets(input: $input) { missing deliveries { jwe secret { id name version } } }
}`;

/** Text that nothing else has, in values of several kinds: what the routers and the proxies must not see. */
const canary = () => randomBytes(24).toString('hex');

describe.each(Object.entries(routers))('a value through %s', (_name, { example, composer, env }) => {
  const running: { close(): Promise<void> }[] = [];
  let secrets: Awaited<ReturnType<typeof startSecretsGateway>>;
  let router: Awaited<ReturnType<typeof startRouter>>;
  /** Before the router, and between it and the subgraph. */
  let front: LoggingProxy;
  let behind: LoggingProxy;
  let token: string;
  let sealingKeys: SealingKey[];
  const sealed = new Set<string>();
  /** Of recipients. */
  const privateKeys: Buffer[] = [];

  beforeAll(async () => {
    // The routers are reached by plain HTTP, and say so to the subgraph.
    secrets = await startSecretsGateway({ LOG_LEVEL: 'debug', REQUIRE_TLS: 'on', TRUST_PROXY: 'on', ...env });
    running.unshift(secrets);
    behind = await LoggingProxy.start(secrets.url);
    running.unshift(behind);
    const directory = await startDirectory();
    running.unshift(directory);
    const subgraphs = [await fetchSubgraph('secrets', behind.url), await fetchSubgraph('directory', directory.url)];
    router = await startRouter(example, composers[composer](subgraphs));
    running.unshift(router);
    front = await LoggingProxy.start(router.url);
    running.unshift(front);
    token = await secrets.issuer.token({ scope: 'secrets:read secrets:write secrets:resolve' });
    sealingKeys = (await ask('query Keys { sealingKeys { kid alg jwk } }')).data.sealingKeys;
  });
  afterAll(async () => {
    for (const one of running) await one.close();
  });

  async function ask(query: string, variables: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(front.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as Answer;
  }

  const newName = () => `S_${randomBytes(8).toString('hex')}`;

  function seal(value: string, options: { name?: string; id?: string; key?: SealingKey | undefined }): Promise<string> {
    const { key = sealingKeys[0], ...bound } = options;
    if (!key) throw new Error('no sealing key came through');
    return sealValue(value, { sealingKey: key, subject: 'ada', ...bound });
  }

  async function createSealed(value: string, key?: SealingKey): Promise<{ id: string; name: string }> {
    sealed.add(value);
    const name = newName();
    const input = { name, provider: 'openai', sealedValue: await seal(value, { name, key }) };
    const { data, errors } = await ask(create, { input });
    expect(errors).toBeUndefined();
    return data.createSecret.secret;
  }

  /** @returns the values that were delivered, by the ids of their secrets */
  async function resolved(input: object): Promise<Map<string, string>> {
    const pair = generateKeyPairSync('x25519');
    const [recipient, privateKey] = [pair.publicKey, pair.privateKey].map(
      (key) => key.export({ format: 'jwk' }) as Jwk,
    );
    privateKeys.push(Buffer.from(privateKey?.d ?? '', 'base64url'));
    const { data, errors } = await ask(resolve, { input: { ...input, recipient } });
    expect(errors).toBeUndefined();
    const values = new Map<string, string>();
    for (const { jwe, secret } of data.resolveSecrets.deliveries) {
      const { value, secretId, version } = await openDelivery(jwe, privateKey as Jwk);
      expect({ secretId, version }).toEqual({ secretId: secret.id, version: secret.version });
      values.set(secretId, value);
    }
    return values;
  }

  it('is sealed to a key of either curve, that comes through the router', async () => {
    expect(sealingKeys.map(({ jwk }) => jwk.crv)).toEqual(['X25519', 'P-256']);
    for (const key of sealingKeys) {
      expect(key).toEqual({ kid: expect.any(String), alg: 'ECDH-ES+A256KW', jwk: expect.objectContaining({}) });
      const value = `-----BEGIN KEY-----\r\n${canary()}\r\n-----END KEY-----\r\n`;
      const { id } = await createSealed(value, key);
      expect((await resolved({ ids: [id] })).get(id)).toBe(value);
    }
  });

  it('is delivered byte for byte, whatever is awkward about it', async () => {
    const values = new Map<string, string>();
    await Promise.all(awkwardValues.map(async (value) => values.set((await createSealed(value)).id, value)));
    const delivered = await resolved({ ids: [...values.keys()] });
    expect(delivered.size).toBe(awkwardValues.length);
    for (const [id, value] of values) expect(delivered.get(id) === value).toBe(true);
  });

  it('is replaced by another, for the id of its secret', async () => {
    const { id } = await createSealed(canary());
    const value = `the second, ${canary()} 🔑`;
    sealed.add(value);
    const { data } = await ask(update, { input: { id, sealedValue: await seal(value, { id }) } });
    expect(data.updateSecret.secret).toEqual({ id, version: 2 });
    expect((await resolved({ ids: [id] })).get(id)).toBe(value);
  });

  it('works once: the second use is refused, with the code and the type unchanged', async () => {
    const [first, second] = [await createSealed(canary()), await createSealed(canary())];
    const value = canary();
    sealed.add(value);
    const sealedValue = await seal(value, { id: first.id });
    expect((await ask(update, { input: { id: first.id, sealedValue } })).errors).toBeUndefined();
    for (const [{ id }, type] of [
      [first, 'replayed'],
      [second, 'wrong_id'],
    ] as const) {
      const { errors } = await ask(update, { input: { id, sealedValue } });
      expect(errors?.map(({ extensions }) => extensions)).toEqual([
        expect.objectContaining({
          code: 'UNPROCESSABLE_CONTENT',
          status: 422,
          errors: [expect.objectContaining({ field: 'sealedValue', type })],
        }),
      ]);
    }
  });

  it('is in nothing that the router, the proxies or the gateway wrote', () => {
    const values = [...sealed].filter((value) => /[\da-f]{48}/.test(value));
    expect(values.length).toBeGreaterThan(6);
    expect(privateKeys.length).toBeGreaterThan(3);
    const canaries = values.map((value) => /[\da-f]{48}/.exec(value)?.[0] ?? '');
    const detector = new LeakDetector<Marker>([...canaries, ...privateKeys, ...secrets.privateKeys()]);
    for (const seen of [front.record(), behind.record(), router.printed(), secrets.printed()]) {
      expect(detector.find(seen)).toEqual(new Set());
    }
  });

  it('would be found: in clear, all of them but the gateway saw it', async () => {
    const value = canary();
    const document = `mutation { createSecret(input: { name: "A", provider: "p", value: "${value}" }) { secret { id } } }`;
    const { errors } = await ask(document);
    expect(errors?.[0]?.extensions.code).toBe('UPGRADE_REQUIRED');
    const detector = new LeakDetector([value]);
    for (const seen of [front.record(), behind.record(), router.printed()]) {
      expect(detector.find(seen)).toEqual(new Set([value]));
    }
    expect(detector.find(secrets.printed())).toEqual(new Set());
    expect(secrets.printed()).toContain('UPGRADE_REQUIRED');
    // Hive Gateway prints the headers of requests, too.
    expect(router.printed().includes(token)).toBe(example === 'hive-gateway');
  });
});
