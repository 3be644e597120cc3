import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRecipient, openDelivery, type SealingKey, sealValue } from '../../src/client/index.ts';
import { newApiKey, withApiKey } from '../support/api-keys.ts';
import { awkwardValues } from '../support/awkward-values.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, updateSecret } from '../support/graphql.ts';

const create = createSecret('id version');
const update = updateSecret('id version');
const resolve = `mutation ($input: ResolveSecretsInput!) {
  resolveSecrets(input: $input) { missing deliveries { jwe secret { id name version } } }
}`;

/** Whose secrets, and the workload that needs them. */
const owners: Record<string, { teamId?: string; connectorId?: string }> = {
  'a user': {},
  'a team': { teamId: 'red' },
  'a connector': { teamId: 'red', connectorId: 'crm' },
};

describe.each(storeNames)('from a person to a workload, on %s', (store) => {
  let gateway: TestGateway;
  let sealingKeys: SealingKey[];

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off', REQUIRE_TLS: 'on', TRUST_PROXY: 'on' });
    sealingKeys = (await gateway.run('{ sealingKeys { kid alg jwk } }')).data.sealingKeys;
  });
  afterAll(() => gateway.close());

  /** What a value is sealed to: keys of both curves in turn. */
  const keyFor = (index: number) => sealingKeys[index % sealingKeys.length] as SealingKey;
  // The person’s proxy speaks plain HTTP: only what is sealed gets through.
  const headers = { 'x-forwarded-proto': 'http' };

  describe.each(Object.entries(owners))('for %s', (_what, owner) => {
    /** By index of the value. */
    const names = awkwardValues.map((_value, index) => `VALUE_${index}`);
    let ids: string[] = [];
    let workload: Record<string, string>;

    beforeAll(async () => {
      const { teamId } = owner;
      if (teamId) {
        const { key } = await newApiKey(gateway, { ...owner, teamId, name: 'workload', scopes: ['secrets:resolve'] });
        workload = withApiKey(key).headers;
      } else workload = { authorization: `Bearer ${await gateway.issuer.token({ scope: 'secrets:resolve' })}` };
    });

    /** As the workload, which has nothing but a credential that may resolve, and a key pair for this call. */
    async function delivered(selection: object): Promise<{ name: string; value: string; version: number }[]> {
      const { publicJwk, privateKey } = await createRecipient();
      const input = { owner, ...selection, recipient: publicJwk };
      const { data, errors } = await gateway.run(
        resolve,
        { input },
        { token: null, headers: { ...headers, ...workload } },
      );
      expect(errors).toEqual([]);
      expect(data.resolveSecrets.missing).toEqual([]);
      const opened = [];
      for (const { jwe, secret } of data.resolveSecrets.deliveries) {
        const { value, secretId, version } = await openDelivery(jwe, privateKey);
        expect({ secretId, version }).toEqual({ secretId: secret.id, version: secret.version });
        opened.push({ name: secret.name as string, value, version });
      }
      return opened;
    }

    /** Compares without printing values of 64 KiB. */
    function expectValues(opened: { name: string; value: string; version: number }[], expected: readonly string[]) {
      expect(opened.map(({ name }) => name).sort()).toEqual([...names].sort());
      const changed = opened.filter(
        ({ name, value }) => !Buffer.from(value).equals(Buffer.from(expected[names.indexOf(name)] ?? '')),
      );
      expect(changed.map(({ name }) => name)).toEqual([]);
    }

    it('every awkward value is sealed, created, delivered and opened, byte for byte', async () => {
      ids = await Promise.all(
        awkwardValues.map(async (value, index) => {
          const name = names[index] ?? '';
          const sealedValue = await sealValue(value, { sealingKey: keyFor(index), subject: 'ada', owner, name });
          const input = { owner, name, provider: 'custom', sealedValue };
          const { data, errors } = await gateway.run(create, { input }, { headers });
          expect(errors).toEqual([]);
          return data.createSecret.secret.id;
        }),
      );
      expectValues(await delivered({}), awkwardValues);
    });

    it('and each is replaced by the next, sealed too; by names and by ids the new ones are delivered', async () => {
      const next = [...awkwardValues.slice(1), ...awkwardValues.slice(0, 1)];
      await Promise.all(
        next.map(async (value, index) => {
          const id = ids[index] ?? '';
          const sealedValue = await sealValue(value, { sealingKey: keyFor(index), subject: 'ada', owner, id });
          const { data, errors } = await gateway.run(update, { input: { id, sealedValue } }, { headers });
          expect(errors).toEqual([]);
          expect(data.updateSecret.secret.version).toBe(2);
        }),
      );
      const half = Math.floor(names.length / 2);
      const opened = await delivered({ names: names.slice(0, half), ids: ids.slice(half) });
      expectValues(opened, next);
      expect(new Set(opened.map(({ version }) => version))).toEqual(new Set([2]));
    });
  });
});
