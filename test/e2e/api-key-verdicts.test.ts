import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MadeApiKey, newApiKey, revokeApiKey, rotateApiKey } from '../support/api-keys.ts';
import { resolveSecrets } from '../support/deliveries.ts';
import { type GraphQLAnswer, type StoreName, storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, newSecret, updateSecret } from '../support/graphql.ts';
import { soundRecipients } from '../support/recipients.ts';
import {
  admins,
  all,
  type Credential,
  credential,
  expected,
  keys,
  type Operation,
  type OwnerName,
  operations,
  owners,
  stored,
  tokens,
} from '../support/verdicts.ts';

const refused = (letter: string) => letter.repeat(operations.length);
const together = (verdicts: string) => verdicts.replaceAll(' ', '');
const inHeaders = (key: string) => [{ 'x-api-key': key }, { authorization: `Bearer ${key}` }];

type Headers = Record<string, string>;
interface Situation {
  readonly name: string;
  readonly headers: Headers;
  readonly verdicts: string;
}

describe.each(storeNames)('the verdicts on %s', (store: StoreName) => {
  let gateway: TestGateway;
  let root: { token: string };
  /** The id of the secret of each owner, and of an API key of each team that nobody may end. */
  const ids: Record<string, string> = {};
  let targets: Record<'red' | 'blue', string>;

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    root = { token: await gateway.issuer.token({ sub: 'root', teams: admins('red', 'blue'), scope: all() }) };
    for (const name of stored) {
      const input = { owner: owners[name], ...newSecret() };
      ids[name] = (await gateway.run(createSecret(), { input }, root)).data.createSecret.secret.id;
    }
    targets = { red: (await target('red')).id, blue: (await target('blue')).id };
  });
  afterAll(() => gateway.close());

  const target = (teamId: string) => newApiKey(gateway, { teamId, name: 'target', scopes: ['secrets:read'] });
  const revoke = (id: string) => gateway.run(revokeApiKey, { input: { id } }, root);
  const rotate = async (id: string, graceSeconds = 0): Promise<MadeApiKey> => {
    const { data } = await gateway.run(rotateApiKey, { input: { id, graceSeconds } }, root);
    return { id: data.rotateApiKey.apiKey.id, key: data.rotateApiKey.key };
  };

  /** Who can end a key gets one of its own. */
  async function idFor(team: 'red' | 'blue', verdict: string | undefined): Promise<string> {
    return verdict === '.' ? (await target(team)).id : targets[team];
  }

  async function run(operation: Operation, headers: Headers, expected?: string): Promise<GraphQLAnswer> {
    const send = (query: string, variables?: object) =>
      gateway.send({ body: JSON.stringify({ query, variables }) }, { token: null, headers });
    const [what, of] = operation.split(/ (?:in |of |for )?/) as [string, string];
    const teamId = of as 'red' | 'blue';
    switch (what) {
      case 'viewer':
        return send('{ viewer { subject } }');
      case 'list':
        return send('query ($owner: OwnerInput!) { secrets(owner: $owner) { totalCount } }', {
          owner: owners[of as OwnerName],
        });
      case 'create':
        return send(createSecret(), { input: { owner: owners[of as OwnerName], ...newSecret() } });
      case 'read':
        return send('query ($id: ID!) { secret(id: $id) { id } }', { id: ids[of] });
      case 'update':
        return send(updateSecret(), { input: { id: ids[of], notes: crypto.randomUUID() } });
      case 'resolve':
        return send(resolveSecrets(), { input: { owner: owners[of as OwnerName], recipient: soundRecipients.X25519 } });
      case 'apiKeys':
        return send('query ($teamId: ID!) { apiKeys(teamId: $teamId) { totalCount } }', { teamId });
      case 'createApiKey':
        return send('mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }', {
          input: { teamId, name: 'made', scopes: ['secrets:read'] },
        });
      default: {
        const type = what === 'rotateApiKey' ? 'RotateApiKeyInput' : 'RevokeApiKeyInput';
        const input = { id: await idFor(teamId, expected) };
        return send(`mutation ($input: ${type}!) { ${what}(input: $input) { apiKey { id } } }`, { input });
      }
    }
  }

  const letters: Record<string, string> = {
    FORBIDDEN: 'F',
    PERMISSION_ERROR: 'P',
    NOT_FOUND: 'N',
    UNAUTHORIZED: 'U',
    BAD_REQUEST: 'B',
    UNPROCESSABLE_ENTITY: 'V',
  };

  async function verdict(operation: Operation, headers: Headers, expected?: string): Promise<string> {
    const { data, errors } = await run(operation, headers, expected);
    const [error] = errors;
    if (error) return letters[error.extensions.code] ?? error.extensions.code;
    return data.secret === null ? 'N' : '.';
  }

  async function verdictsOf({ headers, verdicts }: Situation): Promise<string> {
    const each = operations.map((operation, at) => verdict(operation, headers, verdicts[at]));
    return (await Promise.all(each)).join('');
  }

  async function check(situations: readonly Situation[]): Promise<void> {
    const found: Record<string, string> = {};
    const told: Record<string, string> = {};
    for (const situation of situations) {
      told[situation.name] = together(situation.verdicts);
      found[situation.name] = await verdictsOf({ ...situation, verdicts: together(situation.verdicts) });
    }
    expect(Object.keys(told)).toHaveLength(situations.length);
    expect(found).toEqual(told);
  }

  const inEither = (name: string, key: string, verdicts: string): Situation[] =>
    inHeaders(key).map((headers) => ({ name: `${name}, in ${Object.keys(headers)}`, headers, verdicts }));

  async function ofToken(claims: Record<string, unknown>): Promise<Headers> {
    const token = await gateway.issuer.token({ scope: 'secrets:read secrets:write', ...claims });
    return { authorization: `Bearer ${token}` };
  }

  it('of tokens', { timeout: 60_000 }, async () => {
    const situations = tokens.map(async ([name, claims, verdicts]) => ({
      name,
      headers: await ofToken(claims),
      verdicts,
    }));
    const ofKey = await newApiKey(gateway);
    // It is somebody else: neither the key's team nor its kind.
    const claims = { sub: ofKey.id, teams: [], scope: all() };
    const twin = {
      name: 'somebody called like a key',
      headers: await ofToken(claims),
      verdicts: tokens[12]?.[2] ?? '',
    };
    const member = { sub: ofKey.id, teams: ['red'] };
    const other = {
      name: 'a member called like a key',
      headers: await ofToken(member),
      verdicts: tokens[0]?.[2] ?? '',
    };
    await check([...(await Promise.all(situations)), twin, other]);
  });

  it('of API keys, in both headers', { timeout: 120_000 }, async () => {
    const situations: Situation[] = [];
    for (const [name, of, scopes, verdicts] of keys) {
      const { key } = await newApiKey(gateway, { ...of, scopes });
      situations.push(...inEither(`a key of ${name} with [${scopes}]`, key, verdicts));
    }
    for (const [name, of] of [['the team', owners.team] as const, ['a connector', owners.c] as const]) {
      const verdicts =
        keys.find(([of, , scopes]) => of === name && scopes.join() === 'secrets:read,secrets:write')?.[3] ?? '';
      const old = await newApiKey(gateway, of);
      const successor = await rotate(old.id, 600);
      situations.push(...inEither(`an old key of ${name} in its time of grace`, old.key, verdicts));
      situations.push(...inEither(`the successor of a key of ${name}`, successor.key, verdicts));
      const lasting = await newApiKey(gateway, { ...of, expiresAt: '2099-01-01T00:00:00Z' });
      situations.push(...inEither(`a key of ${name} that expires later`, lasting.key, verdicts));
    }
    await check(situations);
  });

  it('of API keys that have ended, and of what is no key', { timeout: 120_000 }, async () => {
    const situations: Situation[] = [];
    let end = 0;
    for (const [name, of] of [['the team', owners.team] as const, ['a connector', owners.c] as const]) {
      const make = (fields = {}) => newApiKey(gateway, { ...of, ...fields });
      const ended: Record<string, MadeApiKey> = {
        revoked: await make(),
        rotated: await make(),
        'revoked in its time of grace': await make(),
        'a successor that was revoked': await make(),
      };
      end = Date.now() + 2000;
      ended.expired = await make({ expiresAt: new Date(end).toISOString() });
      await revoke(ended.revoked?.id ?? '');
      await rotate(ended.rotated?.id ?? '');
      await rotate(ended['revoked in its time of grace']?.id ?? '', 600);
      await revoke(ended['revoked in its time of grace']?.id ?? '');
      ended['a successor that was revoked'] = await rotate(ended['a successor that was revoked']?.id ?? '');
      await revoke(ended['a successor that was revoked'].id);
      for (const [what, { key }] of Object.entries(ended)) {
        situations.push(...inEither(`a key of ${name}: ${what}`, key, refused('U')));
      }
    }
    const { key } = await newApiKey(gateway);
    const { key: another } = await newApiKey(gateway);
    const typo = (at: number) => key.slice(0, at) + (key[at] === 'x' ? 'y' : 'x') + key.slice(at + 1);
    const wrong = [
      ...[4, 20, 46, 47, 52].map((at) => [`a typo at ${at}`, typo(at)] as const),
      ['one character short', key.slice(0, -1)] as const,
      ['one character more', `${key}0`] as const,
      ['in lower case', key.toLowerCase()] as const,
      ['the beginning of one with the end of another', key.slice(0, 30) + another.slice(30)] as const,
      ['never made, and well-formed', 'sgk_00000000000000000000000000000000000000000000RPzAx'] as const,
    ];
    for (const [what, text] of wrong) situations.push(...inEither(`a key that is ${what}`, text, refused('U')));
    const good = await ofToken({});
    const others: readonly [string, Headers, string][] = [
      ['nothing', {}, 'U'],
      ['an empty X-API-Key', { 'x-api-key': '' }, 'U'],
      ['a key as a user name', { authorization: `Basic ${btoa(`${key}:`)}` }, 'U'],
      ['a key with another scheme', { authorization: `ApiKey ${key}` }, 'U'],
      ['a key without a scheme', { authorization: key }, 'U'],
      ['a scheme in X-API-Key', { 'x-api-key': `Bearer ${key}` }, 'U'],
      ['a token in X-API-Key', { 'x-api-key': good.authorization?.slice(7) ?? '' }, 'U'],
      ['two keys in one header', { 'x-api-key': `${key}, ${another}` }, 'U'],
      ['the hash of a key', { 'x-api-key': 'a'.repeat(64) }, 'U'],
      ['a key in a cookie', { cookie: `x-api-key=${key}` }, 'U'],
      ['a token and a key', { ...good, 'x-api-key': key }, 'B'],
      ['a token and a wrong key', { ...good, 'x-api-key': typo(9) }, 'B'],
      ['a wrong token and a key', { authorization: 'Bearer wrong', 'x-api-key': key }, 'B'],
      ['one key in both headers', { authorization: `Bearer ${key}`, 'x-api-key': key }, 'B'],
      ['two keys in both headers', { authorization: `Bearer ${key}`, 'x-api-key': another }, 'B'],
    ];
    situations.push(...others.map(([name, headers, letter]) => ({ name, headers, verdicts: refused(letter) })));
    while (Date.now() <= end) await setTimeout(10);
    await check(situations);
  });

  async function headersOf(by: Credential): Promise<Headers> {
    const { teamId, connectorId, scopes } = by;
    if (by.kind === 'user') {
      const teams = [{ id: teamId, role: by.role }];
      return ofToken({ teams, scope: [...scopes, ...(by.manages ? ['keys:manage'] : [])].join(' ') });
    }
    const made = await newApiKey(gateway, { teamId, scopes, ...(connectorId && { connectorId }) });
    let { key } = made;
    if (by.state === 'revoked') await revoke(made.id);
    if (by.state === 'rotated' || by.state === 'grace') await rotate(made.id, by.state === 'grace' ? 60 : 0);
    if (by.state === 'successor') key = (await rotate(made.id)).key;
    if (by.state === 'typo') key = key.slice(0, 30) + (key[30] === 'x' ? 'y' : 'x') + key.slice(31);
    return inHeaders(key)[by.header] ?? {};
  }

  it('of random credentials are those of the model', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        credential,
        fc.array(fc.constantFrom(...operations), { minLength: 1, maxLength: 8 }),
        async (by, tried) => {
          const headers = await headersOf(by);
          for (const operation of tried) {
            const model = expected(by, operation);
            expect([operation, await verdict(operation, headers, model)]).toEqual([operation, model]);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
