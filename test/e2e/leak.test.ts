// biome-ignore-all lint/style/noExcessiveLinesPerFile: one table of every position in which a client can send a value.
import { randomInt } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openDelivery } from '../../src/client/open-delivery.ts';
import { newApiKey } from '../../src/identity/api-key.ts';
import { createSecrets, duplicateSecrets } from '../support/batches.ts';
import { curves, newRecipient, resolveSecrets } from '../support/deliveries.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, deleteSecret, updateSecret } from '../support/graphql.ts';
import { LeakDetector } from '../support/leak-detector.ts';
import { sealByHand, secondsFromNow } from '../support/seal-by-hand.ts';
import { stored } from '../support/stored.ts';
import { ToldSpans } from '../support/told-spans.ts';

/** One secret in every form in which a client could write it. */
class Canary {
  /** A well-formed API key of ours; the part that all keys have in common is too short for the detector. */
  readonly key = newApiKey();
  /** A key that could be a GraphQL name. */
  readonly word = `sk_${random(36)}`;
  /** A number beyond the range of every GraphQL type. */
  readonly digits = String(randomInt(1, 10)) + Array.from({ length: 27 }, () => randomInt(10)).join('');
  /** A number that is an Int. */
  readonly int = String(randomInt(1_000_000_000, 2_147_483_647));

  get forms(): string[] {
    return [this.key, this.word, this.digits, this.int];
  }
}

/** All in one case, since many transformations change the case. */
function random(length: number): string {
  return Array.from({ length }, () => randomInt(36).toString(36)).join('');
}

/** Sends requests, and keeps everything that a client can see of the answers. */
class Client {
  readonly gateway: TestGateway;
  readonly answers: string[] = [];

  constructor(gateway: TestGateway) {
    this.gateway = gateway;
  }

  run(query: string, variables?: unknown, headers: Record<string, string> = {}): Promise<string> {
    return this.post(JSON.stringify({ query, variables }), headers);
  }

  post(body: string | Buffer, headers: Record<string, string> = {}): Promise<string> {
    return this.http({ method: 'POST', body, headers });
  }

  get(parameters: Record<string, string>): Promise<string> {
    return this.http({ path: `?${new URLSearchParams(parameters)}` });
  }

  /** Sends with node:http, since fetch does not allow some of the headers. `token: null` sends no credentials. */
  async http(options: {
    method?: string;
    path?: string;
    headers?: object;
    body?: string | Buffer;
    token?: null;
  }): Promise<string> {
    const token = options.token === null ? {} : { authorization: `Bearer ${await this.gateway.issuer.token()}` };
    return this.#keep(
      new Promise((resolve, reject) => {
        const outgoing = request(
          this.gateway.url + (options.path ?? ''),
          {
            method: options.method ?? 'GET',
            headers: {
              'content-type': 'application/json',
              accept: 'application/graphql-response+json',
              ...token,
              ...options.headers,
            },
          },
          async (response) => {
            let text = `${response.statusCode} ${response.statusMessage}\n${response.rawHeaders.join('\n')}\n`;
            for await (const chunk of response) text += chunk;
            resolve(text);
          },
        );
        outgoing.on('error', reject);
        outgoing.end(options.body);
      }),
    );
  }

  /** Sends raw bytes, to test the HTTP parser. */
  async raw(bytes: string): Promise<string> {
    const { hostname, port } = new URL(this.gateway.url);
    return this.#keep(
      new Promise((resolve, reject) => {
        const socket = connect(Number(port), hostname, () => socket.write(bytes.replaceAll('\n', '\r\n')));
        let text = '';
        socket.setTimeout(200, () => socket.end());
        socket.on('data', (chunk) => {
          text += chunk;
        });
        socket.on('error', reject);
        socket.on('close', () => resolve(text));
      }),
    );
  }

  async #keep(answer: Promise<string>): Promise<string> {
    this.answers.push(await answer);
    return answer;
  }
}

type Send = (client: Client, canary: Canary) => Promise<unknown>;

const create = createSecret('id maskedValue', 'secrets { totalCount }');
const update = updateSecret('id maskedValue');
const remove = deleteSecret;
const lists =
  'query ($owner: OwnerInput!, $filter: SecretFilter, $first: Int, $after: String) { secrets(owner: $owner, filter: $filter, first: $first, after: $after) { totalCount nodes { name } edges { cursor } } }';
const name = () => `NAME_${random(12)}`;
const good = () => ({ name: name(), provider: 'openai', value: 'a value without a marker' });

async function existing(client: Client): Promise<string> {
  const { data } = await client.gateway.run(create, { input: good() });
  return data.createSecret.secret.id;
}

/** Sends each of many similar requests. */
const each =
  (requests: (canary: Canary) => readonly ((client: Client) => Promise<unknown>)[]): Send =>
  async (client, canary) => {
    for (const send of requests(canary)) await send(client);
  };

const queries = (documents: (canary: Canary) => string[]): Send =>
  each((canary) => documents(canary).map((document) => (client) => client.run(document)));

const bodies = (list: (canary: Canary) => (string | Buffer)[]): Send =>
  each((canary) => list(canary).map((body) => (client) => client.post(body)));

/** Headers of ada who may do everything. */
async function resolving(client: Client): Promise<{ authorization: string }> {
  const token = await client.gateway.issuer.token({ scope: 'secrets:read secrets:write secrets:resolve' });
  return { authorization: `Bearer ${token}` };
}

async function deliver(client: Client, input: object): Promise<string> {
  return client.run(resolveSecrets('id name notes'), { input }, await resolving(client));
}

/** Seals a value to the gateway, for ada. */
async function sealed(client: Client, value: string, header: Record<string, unknown> = {}): Promise<string> {
  const response = await fetch(new URL('/.well-known/jwks.json', client.gateway.url));
  const { keys } = await response.json();
  return sealByHand(value, { kid: keys[0].kid, alg: keys[0].alg, jwk: keys[0] }, { header });
}

/** Sends inputs that differ from a good one, to create, alone and in a batch, to update and to delete. */
const inputs =
  (list: (canary: Canary) => Record<string, unknown>[]): Send =>
  async (client, canary) => {
    const id = await existing(client);
    for (const input of list(canary)) {
      await client.run(create, { input: { ...good(), ...input } });
      await client.run(create, { input: { owner: { teamId: 'red' }, ...good(), ...input } });
      await client.run(create, { input: { owner: { teamId: 'red', connectorId: 'c' }, ...good(), ...input } });
      const secrets = [good(), { ...good(), ...input }];
      for (const dryRun of [true, false]) await client.run(createSecrets, { input: { secrets, dryRun } });
      await client.run(update, { input: { id, ...input } });
      await client.run(remove, { input: { id: crypto.randomUUID(), ...input } });
    }
  };

const recipient = { kty: 'OKP', crv: 'X25519', x: '3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08' };

/** Asks for deliveries, as somebody who may resolve and as somebody who may not. */
const deliveries =
  (list: (canary: Canary) => Record<string, unknown>[]): Send =>
  async (client, canary) => {
    for (const input of list(canary)) {
      await deliver(client, { recipient, ...input });
      await client.run(resolveSecrets(), { input: { recipient, ...input } });
    }
  };

const headers = (list: (canary: Canary) => Record<string, string | string[]>[]): Send =>
  each((canary) =>
    list(canary).flatMap((sent) => [
      (client: Client) =>
        client.http({ method: 'POST', headers: sent, body: JSON.stringify({ query: '{ viewer { subject } }' }) }),
      (client: Client) => client.http({ path: '?query={__typename}', headers: sent }),
      (client: Client) => client.http({ path: '?query={__typename}', headers: sent, token: null }),
    ]),
  );

/** Every kind of GraphQL literal. A key of an object literal is a name, and errors may repeat it. */
const literals = ({ key, word, digits, int }: Canary) => [
  `"${key}"`,
  `"""${key}"""`,
  `"""\n  ${key}\n  """`,
  word,
  digits,
  `-${digits}`,
  `${digits}.5`,
  `${digits}e5`,
  int,
  `["${key}"]`,
  `[[${word}]]`,
  `[${digits}]`,
  `{ a: "${key}" }`,
  `{ a: [${word}, { b: ${digits} }] }`,
];

const wrongJson = ({ key, digits, int }: Canary) => [
  Number(digits),
  -Number(int),
  Number(int) + 0.5,
  [key],
  [[key]],
  [Number(digits)],
  [{ [key]: key }],
  { [key]: key },
  { value: key },
  { a: { b: [key] } },
];

const positions: Record<string, Send> = {
  'a value, created for a user': (client, { key }) => client.run(create, { input: { ...good(), value: key } }),
  'a value, created for a team and for a connector': async (client, { key }) => {
    await client.run(create, { input: { ...good(), value: key, owner: { teamId: 'red' } } });
    await client.run(create, { input: { ...good(), value: key, owner: { teamId: 'red', connectorId: 'c' } } });
  },
  'a value, updated': async (client, { key }) =>
    client.run(update, { input: { id: await existing(client), value: key } }),
  'a value, long and repeating': (client, { key }) =>
    client.run(create, { input: { ...good(), value: key.repeat(500) } }),
  'a value as an inline literal': (client, { key }) =>
    client.run(
      `mutation { createSecret(input: { name: "${name()}", provider: "p", value: "${key}" }) { secret { id } } }`,
    ),
  'a value as an inline block string': (client, { key }) =>
    client.run(
      `mutation { createSecret(input: { name: "${name()}", provider: "p", value: """\n ${key}\n\t"x" """ }) { secret { id } } }`,
    ),
  'a value with escapes of every kind': (client, { key }) =>
    client.run(
      `mutation { createSecret(input: { name: "${name()}", provider: "p", value: "${unicodeEscaped(key)}" }) { secret { id } } }`,
    ),
  'a value as the default of a variable': (client, { key }) =>
    client.run(
      `mutation ($v: String = "${key}") { createSecret(input: { name: "${name()}", provider: "p", value: $v }) { secret { id } } }`,
    ),
  'a value that is compared with stored ones: with the right and without, found and not, in a document, in a URL and sealed':
    async (client, { key, int }) => {
      const scope = 'secrets:read secrets:write secrets:match';
      const token = await client.gateway.issuer.token({ sub: `matching ${random(12)}`, scope });
      const match = `query ($owner: OwnerInput! = {}, $value: String, $sealedValue: String) {
      matchesSecret(owner: $owner, value: $value, sealedValue: $sealedValue) { id maskedValue }
    }`;
      for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
        for (const variables of [
          { value: key },
          { value: key, sealedValue: key },
          { value: [key] },
          { value: { [key]: int } },
          { owner: { teamId: 'red' }, value: key },
          { owner: { connectorId: 'c' }, value: key },
          { sealedValue: key },
          { sealedValue: await sealed(client, key, { name: undefined, use: 'match' }) },
          { sealedValue: await sealed(client, key, { name: key }) },
        ]) {
          await client.run(match, variables, headers);
          await client.run(create, { input: { ...good(), value: key } }, headers);
        }
        await client.run(`{ matchesSecret(value: "${key}") { id } }`, {}, headers);
        await client.run(`{ matchesSecret(value: "${key}", ${int}: "${key}") { id nmae } }`, {}, headers);
        await client.http({
          path: `?${new URLSearchParams({ query: match, variables: `{"value":"${key}"}` })}`,
          headers,
        });
      }
    },
  'a value whose secret cannot be: its name or id is taken, its team is not the caller’s': async (client, { key }) => {
    const id = await existing(client);
    const taken = good();
    await client.run(create, { input: taken });
    await client.run(create, { input: { ...taken, value: key } });
    await client.run(create, { input: { ...good(), id, value: key } });
    await client.run(create, { input: { ...good(), owner: { teamId: 'blue' }, value: key } });
    await client.run(create, { input: { ...good(), owner: { connectorId: 'c' }, value: key } });
    await client.run(update, { input: { id, value: key, expectedVersion: 99 } });
    await client.run(update, { input: { id: crypto.randomUUID(), value: key } });
    await client.run(update, { input: { id, value: key, name: taken.name } });
  },
  'a value whose other fields are wrong': inputs(({ key }) => [
    { value: key, name: '' },
    { value: key, name: 7 },
    { value: key, tags: [null] },
    { value: key, tags: 'x'.repeat(100) },
    { value: key, nmae: 'x' },
    { value: key, owner: null },
    { value: key, id: 'no uuid' },
    { value: key, expectedVersion: 'x' },
  ]),
  'a value that breaks its rule': inputs(({ key }) => [
    { value: key.repeat(2000) },
    { value: `${key}••••${key}` },
    { value: `${key}\ud800` },
    { value: `\udc00${key}` },
  ]),
  'a value of the wrong type': inputs((canary) => wrongJson(canary).map((value) => ({ value }))),
  'values of a batch, created, taken, updated and unchanged, in clear and in seals': async (client, { key }) => {
    const sent = [good(), good()];
    const secrets = sent.map(({ name, provider }, index) => ({ name, provider, value: `${key}${index}`, notes: 'n' }));
    for (const onConflict of ['FAIL', 'FAIL', 'SKIP', 'UPDATE']) {
      for (const dryRun of [true, false]) await client.run(createSecrets, { input: { secrets, onConflict, dryRun } });
    }
    const { name, provider } = good();
    const one = { name, provider, sealedValue: await sealed(client, key, { name, jti: key }) };
    for (const onConflict of ['FAIL', 'UPDATE']) {
      await client.run(createSecrets, { input: { secrets: [one, one], onConflict } });
      await client.run(createSecrets, { input: { secrets: [one], onConflict } });
    }
    const to = { teamId: 'red', connectorId: `c ${name}` };
    for (const names of [[name, sent[0]?.name], null]) {
      for (const onConflict of ['FAIL', 'FAIL', 'UPDATE']) {
        await client.run(duplicateSecrets, { input: { to, names, onConflict } }, await resolving(client));
      }
    }
  },
  'names to copy that are not there, or break their rules': async (client, { key }) => {
    for (const names of [[key], [key, key], [`${key}\ud800`], [key.repeat(100)], [[key]], Array(501).fill(key)]) {
      for (const to of [{ teamId: 'red' }, {}, { teamId: key }, { connectorId: key }]) {
        await client.run(duplicateSecrets, { input: { to, names } }, await resolving(client));
      }
    }
  },
  'a value in a seal, used once and again, whose one-time id is it too': async (client, { key }) => {
    const { name, provider } = good();
    const sealedValue = await sealed(client, key, { name, jti: key });
    for (let time = 0; time < 2; time += 1) await client.run(create, { input: { name, provider, sealedValue } });
    const id = await existing(client);
    const other = await sealed(client, key, { name: undefined, id });
    for (let time = 0; time < 2; time += 1) await client.run(update, { input: { id, sealedValue: other } });
    const again = await sealed(client, key, { name: undefined, id });
    await client.run(update, { input: { id, sealedValue: again, expectedVersion: 99 } });
    await client.run(update, { input: { id, sealedValue: again, value: key } });
    await client.run(update, { input: { id, sealedValue: again, notes: 7 } });
    await client.run(
      `mutation { updateSecret(input: { id: "${id}", sealedValue: "${again}" }) { secret { id maskedValue } } }`,
    );
  },
  'a value in a seal that breaks the rule of values': async (client, { key }) => {
    const { name, provider } = good();
    for (const value of [key.repeat(2000), `${key}••••${key}`]) {
      await client.run(create, { input: { name, provider, sealedValue: await sealed(client, value, { name }) } });
    }
  },
  'a seal whose header or form is wrong': async (client, { key }) => {
    const { name, provider } = good();
    const headers = [
      'alg',
      'enc',
      'typ',
      'kid',
      'epk',
      'iat',
      'exp',
      'jti',
      'sub',
      'owner',
      'name',
      'id',
      'zip',
    ].flatMap((member) => [key, [key], { [key]: key }].map((wrong) => ({ name, jti: key, [member]: wrong })));
    const seals = [
      ...headers,
      { name, owner: { teamId: key } },
      { name, jti: key, [key]: key },
      { name, jti: key, iat: secondsFromNow(-100), exp: secondsFromNow(-10) },
    ].map((header) => sealed(client, key, header));
    const sound = await sealed(client, key, { name, jti: key, sub: key });
    const forms = [`${sound}=`, ` ${sound}`, sound.slice(3), `${sound}.${sound}`, JSON.stringify({ protected: sound })];
    for (const sealedValue of [...(await Promise.all(seals)), ...forms]) {
      await client.run(create, { input: { name, provider, sealedValue } });
      await client.run(update, { input: { id: crypto.randomUUID(), sealedValue } });
    }
  },
  'a value that is delivered, alone and among others': async (client, { key }) => {
    const owner = { teamId: 'red', connectorId: `c ${random(12)}` };
    const made = { owner, name: name(), value: key };
    const { data } = await client.gateway.run(create, { input: made });
    const { id } = data.createSecret.secret;
    for (const recipient of await Promise.all(curves.map(newRecipient))) {
      const { publicJwk } = recipient;
      for (const asked of [{ names: [made.name] }, { ids: [id] }, {}]) {
        const answer = await deliver(client, { owner, ...asked, recipient: publicJwk, purpose: 'test' });
        const [, jwe = ''] = /"jwe":"([^"]+)"/.exec(answer) ?? [];
        expect((await openDelivery(jwe, recipient.privateKey)).value === key).toBe(true);
      }
    }
  },
  'a private key, or anything else that is no recipient': deliveries((canary) => {
    const { key } = canary;
    const d = Buffer.from(key).toString('base64url');
    return [
      key,
      `-----BEGIN PRIVATE KEY-----\n${d}\n-----END PRIVATE KEY-----`,
      { keys: [{ ...recipient, d }] },
      { ...recipient, d },
      ...['d', 'kty', 'crv', 'x', 'use', 'alg', 'key_ops'].map((member) => ({ ...recipient, [member]: key })),
      { ...recipient, key_ops: [key] },
      { ...recipient, ext: { [key]: key } },
      { ...recipient, kid: key, [key]: key },
      { kty: 'EC', crv: 'P-256', x: key, y: key, d: key },
      { kty: 'oct', k: d },
      { kty: 'RSA', n: d, e: 'AQAB', d },
      JSON.parse(`{"__proto__":{"d":"${d}"}}`),
      ...wrongJson(canary),
    ].map((wrong) => ({ recipient: wrong, names: [] }));
  }),
  'a recipient as an inline literal': async (client, canary) => {
    const credentials = await resolving(client);
    for (const literal of literals(canary)) {
      for (const jwk of [literal, `{ kty: "OKP", crv: "X25519", x: "${recipient.x}", d: ${literal} }`]) {
        await client.run(
          `mutation { resolveSecrets(input: { recipient: ${jwk}, names: [] }) { missing } }`,
          {},
          credentials,
        );
      }
    }
  },
  'a purpose that breaks its rule': deliveries((canary) =>
    [canary.key.repeat(10), `${canary.key}\n`, `${canary.key}\ud800`, ...wrongJson(canary)].map((purpose) => ({
      purpose,
    })),
  ),
  'names, placeholders or ids to resolve that break their rules, and an owner that is not the caller’s': deliveries(
    ({ key, digits }) => [
      // A name that keeps its rule is told as missing.
      { names: [key.repeat(200)] },
      { names: [`${key}\ud800`] },
      { placeholders: [key.repeat(200)] },
      { ids: ['x', key] },
      ...['names', 'placeholders', 'ids'].flatMap((list) => [
        { [list]: { [key]: key } },
        { [list]: [{ value: key }] },
        { [list]: [[key]] },
        { [list]: [Number(digits) + 0.5, null, key] },
      ]),
      { owner: { teamId: key } },
      { owner: { connectorId: key } },
      { owner: { teamId: 'red', connectorId: `${key}\n` } },
      { owner: key },
      { [key]: key },
    ],
  ),
  'a sealed value, a description or another field that is not there': inputs(({ key }) => [
    { value: undefined, sealedValue: key },
    { sealedValue: key },
    { sealedValue: [key] },
    { sealedValue: { [key]: key } },
    { description: key },
    { [key]: key },
    { secret: { value: key } },
    { constructor: key },
  ]),
  'a name that breaks its rule': inputs(({ key }) => [
    { name: `${key}\n` },
    { name: ` ${key}` },
    { name: key.repeat(20) },
    { name: `${key}\u200b` },
  ]),
  'a user’s name that is no environment variable’s': (client, { key }) =>
    client.run(create, { input: { ...good(), name: `-${key}` } }),
  'a provider that breaks its rule': inputs(({ key }) => [
    { provider: `${key} ` },
    { provider: key.repeat(20) },
    { provider: `${key}\ud800` },
  ]),
  'notes that break their rule': inputs(({ key }) => [{ notes: key.repeat(200) }, { notes: `${key}\ud800` }]),
  'tags that break their rule': inputs(({ key }) => [
    { tags: [key.repeat(2)] },
    { tags: [`${key}\u0000`] },
    { tags: ['fine', ` ${key}`] },
    { tags: Array.from({ length: 51 }, (_, at) => `${key}${at}`) },
  ]),
  'a name, provider, notes, tags or owner of the wrong type': inputs((canary) =>
    wrongJson(canary).flatMap((wrong) => [
      { name: wrong },
      { provider: wrong },
      { notes: wrong },
      ...(Array.isArray(wrong) && typeof wrong[0] === 'string' ? [] : [{ tags: wrong }]),
      { owner: wrong },
      { owner: { teamId: wrong } },
      // A number is an ID.
      ...(typeof wrong === 'number' ? [] : [{ owner: { teamId: 'red', connectorId: wrong } }]),
      { owner: { [canary.key]: wrong } },
    ]),
  ),
  'an owner as a text': inputs(({ key }) => [{ owner: key }]),
  'a team that is not the caller’s': inputs(({ key, digits }) => [
    { owner: { teamId: key } },
    { owner: { teamId: Number(digits) } },
  ]),
  'a connector without a team, or one that breaks its rule': inputs(({ key }) => [
    { owner: { connectorId: key } },
    { owner: { teamId: 'red', connectorId: `${key}\n` } },
    { owner: { teamId: 'red', connectorId: `${key}\ud800` } },
  ]),
  'an id': async (client, { key, digits, int }) => {
    for (const id of [key, Number(int), Number(digits), [key], { [key]: key }, `${crypto.randomUUID()}${key}`]) {
      await client.run('query ($id: ID!) { secret(id: $id) { id } }', { id });
      await client.run(create, { input: { ...good(), id } });
      await client.run(update, { input: { id, notes: 'x' } });
      await client.run(remove, { input: { id } });
    }
  },
  'an expected version': inputs(({ key, digits, int }) => [
    { expectedVersion: key },
    { expectedVersion: Number(digits) },
    { expectedVersion: Number(int) },
    { expectedVersion: [key] },
  ]),
  'a cursor, a page size, a filter or an owner of a list': async (client, canary) => {
    const { key, int, digits } = canary;
    const wrong = wrongJson(canary);
    const filters = ['name', 'nameStartsWith', 'provider', 'placeholder', 'tags', key].flatMap((field) =>
      [key, `${key}\ud800`, ...wrong].map((value) => ({ [field]: value })),
    );
    for (const variables of [
      ...[key, Buffer.from(key).toString('base64url'), `${key}=`, ...wrong].map((after) => ({ after })),
      ...[key, Number(int), Number(digits), [key]].map((first) => ({ first })),
      ...[key, { tags: Array(51).fill(key) }, ...filters, ...wrong].map((filter) => ({ filter })),
      ...[key, { teamId: key }, { teamId: key, connectorId: key }, { [key]: key }, ...wrong].map((owner) => ({
        owner,
      })),
    ]) {
      await client.run(lists, { owner: {}, ...variables });
    }
  },
  'a representation of an entity': async (client, canary) => {
    const { key, word, digits } = canary;
    const entities = 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Secret { id } } }';
    for (const r of [
      key,
      { __typename: key },
      { __typename: word, id: key },
      { __typename: 'Secret', id: key },
      { __typename: 'Secret', value: key },
      { __typename: 'Secret', id: { [key]: key } },
      { __typename: 'Team', id: key },
      { __typename: 'User', id: key },
      { __typename: 'Connector', teamId: key, id: key },
      { __typename: 'Connector', teamId: 'red', id: [key] },
      { __typename: 'SecretConnection', id: key },
      { [key]: key },
      ...wrongJson(canary),
    ]) {
      await client.run(entities, { r });
      await client.run(entities, { r: [r] });
    }
    for (const literal of [
      ...literals(canary),
      `{ __typename: "${key}" }`,
      `{ __typename: "Secret", id: ${digits} }`,
    ]) {
      await client.run(`{ _entities(representations: ${literal}) { __typename } }`);
      await client.run(`{ _entities(representations: [${literal}]) { __typename } }`);
    }
  },
  'an inline literal of any kind, for any argument': queries((canary) =>
    literals(canary).flatMap((literal) => [
      `mutation { createSecret(input: ${literal}) { secret { id } } }`,
      `{ secrets(owner: ${literal}) { totalCount } }`,
      `{ secrets(filter: ${literal}) { totalCount } }`,
      `{ secrets(first: ${literal}) { totalCount } }`,
      `{ secrets(after: ${literal}) { totalCount } }`,
      `{ secret(id: ${literal}) { id } }`,
      `{ viewer { subject @skip(if: ${literal}) } }`,
      `{ viewer { subject @include(unless: ${literal}) } }`,
      `{ viewer { subject @nonsense(a: ${literal}) } }`,
      `{ viewer(value: ${literal}) { subject } }`,
      `query ($v: String = ${literal}) { secrets(after: $v) { totalCount } }`,
      `query ($v: Int = ${literal}) { secrets(first: $v) { totalCount } }`,
      `query ($v: OwnerInput = ${literal}) { secrets(owner: $v) { totalCount } }`,
      `query ($v: Boolean! = ${literal}) { viewer { subject @skip(if: $v) } }`,
    ]),
  ),
  'an inline literal of the wrong kind, for any field of an input': queries((canary) =>
    literals(canary).flatMap((literal) => {
      const text = literal.startsWith('"');
      const taken = { value: text, name: text, provider: text, notes: text, tags: /^\[?"/.test(literal) };
      return ['value', 'name', 'provider', 'notes', 'tags', 'id', 'owner', 'sealedValue', 'nonsense']
        .filter((field) => !taken[field as keyof typeof taken])
        .map(
          (field) =>
            `mutation { createSecret(input: { name: "${name()}", provider: "p", value: "v", ${field}: ${literal} }) { secret { id } } }`,
        );
    }),
  ),
  'a key of an inline literal, where no object belongs': queries(({ word }) => [
    `mutation { createSecret(input: { name: "A", value: { ${word}: 1 } }) { secret { id } } }`,
    `mutation { createSecret(input: { name: { ${word}: ${word} }, tags: [{ ${word}: "a" }] }) { secret { id } } }`,
    `{ secret(id: { ${word}: 1 }) { id } }`,
    `{ secrets(first: [{ ${word}: 1 }]) { totalCount } }`,
    `query ($v: Int = { ${word}: 1 }) { secrets(first: $v) { totalCount } }`,
    `{ viewer { subject @skip(if: { ${word}: 1 }) } }`,
  ]),
  'an inline literal beside something else that is wrong': queries(({ key, word, digits }) =>
    [`"${key}"`, `"""${key}"""`, word, digits].flatMap((literal) => [
      `mutation { createSecret(input: { value: ${literal} }) { secret { id } } }`,
      `mutation { createSecret(input: { value: ${literal}, value: ${literal} }) { secret { id } } }`,
      `mutation { createSecret(inptu: { value: ${literal} }) { secret { id } } }`,
      `mutation { createSecrte(input: { value: ${literal} }) { secret { id } } }`,
      `mutation { createSecret(input: { value: ${literal} }) { secret { vlaue } } }`,
      `mutation { createSecret(input: { value: ${literal} }) }`,
      `mutation { a: createSecret(input: { value: ${literal} }) { secret { id } } a: createSecret(input: { value: "b" }) { secret { id } } }`,
      `mutation ($unused: String = ${literal}) { createSecret(input: { value: $undefined }) { secret { id } } }`,
      `mutation A { createSecret(input: { value: ${literal} }) { secret { id } } } mutation A { __typename }`,
      `query { ...F } fragment F on Query { secrets(filter: { name: ${literal}, nmae: 1 }) { totalCount } }`,
      `type T { f(a: String = ${literal}): Int } { __typename }`,
      `subscription { secretChanged(owner: ${literal}) { id } }`,
    ]),
  ),
  'a syntax error': queries(({ key, word, digits }) => [
    key,
    word,
    digits,
    `"${key}"`,
    `"${key}`,
    `"${key}\n"`,
    `"${key}\\q"`,
    `"\\u{${key}}"`,
    `"${key}\\u${key}"`,
    `'${key}'`,
    `"""${key}`,
    `"""${key}""`,
    `# ${key}`,
    `{ viewer { subject } ${key} }`,
    `{ viewer { subject } "${key}" }`,
    `{ viewer { subject } } ${word}`,
    `{ viewer { subject } } "${key}"`,
    `{ viewer { subject } } """${key}"""`,
    `{ viewer { subject } } ${digits}`,
    `{ viewer { subject } } ${digits}x`,
    `{ viewer { subject } } 0${digits}`,
    `{ viewer { subject } } ${digits}.${key}`,
    `{ viewer { subject } } $${word}`,
    `{ viewer { subject } } @${word}`,
    `{ viewer { subject } } ...${word}`,
    `{ secret(id: "${key}" { id } }`,
    `{ secret(id: ${key}) { id } }`,
    `{ secret(${digits}: 1) { id } }`,
    `{ secret("${key}": 1) { id } }`,
    `{ secret(id: ["${key}") { id } }`,
    `{ secret(id: {"${key}": 1}) { id } }`,
    `{ secret(id: "a" ${word}) { id } }`,
    `{ secret(id: %${key}) { id } }`,
    `query ($v: String = $${word}) { __typename }`,
    `query ($v: "${key}") { __typename }`,
    `query ($v: String = {a: $${word}}) { __typename }`,
    `query "${key}" { __typename }`,
    `fragment on on ${word} { id }`,
    `fragment ${word} on "${key}" { id }`,
    `"${key}" { __typename }`,
    `"""${key}""" { __typename }`,
    `{ ${word}: "${key}" }`,
    `enum E { true ${word} }`,
    `\u0000${key}`,
    `{ secret(id: "${key}\u0007") { id } }`,
    `\ufeff${key}\ufeff`,
    `\ud800${key}`,
  ]),
  'a document that is cut off anywhere': queries(({ key }) =>
    prefixes(
      `mutation { createSecret(input: { name: "A", provider: "p", value: "${key}", tags: [7] }) { secret { id } } }`,
    ),
  ),
  'a document with a character too much anywhere': queries(({ key }) =>
    withInsertions(`mutation { createSecret(input: { nmae: 7, value: "${key}" }) { id } }`, [
      '"',
      '}',
      '\\',
      '\n',
      '$',
    ]),
  ),
  'a body that is cut off anywhere': bodies(({ key }) =>
    prefixes(JSON.stringify({ query: create, variables: { input: { value: key } } })),
  ),
  'a body with a character too much anywhere': bodies(({ key, digits }) =>
    withInsertions(`{"query":"{__typename}","variables":{"value":"${key}","n":${digits}}}`, ['"', '}', '\\', '\u0000']),
  ),
  'a body that is no GraphQL request': bodies(({ key, word, digits }) => [
    key,
    word,
    digits,
    `"${key}"`,
    `["${key}"]`,
    `[[{"query":"${key}"}]]`,
    `{"${key}":"${key}"}`,
    `{"query":{"${key}":"${key}"}}`,
    `{"query":["${key}"]}`,
    `{"query":${digits}}`,
    `{"query":null,"value":"${key}"}`,
    `{"query":"${key}"}`,
    `{"query":"","variables":{"v":"${key}"}}`,
    `{"variables":{"v":"${key}"}}`,
    `value=${key}`,
    `<value>${key}</value>`,
    `\ufeff{"query":"${key}"}`,
    Buffer.concat([Buffer.from(`{"query":"${key}`), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
    Buffer.from(`{"query":"${key}"}`, 'utf16le'),
    `{"query":"{__typename}","variables":{"v":"${key.repeat(30_000)}"}}`,
  ]),
  'JSON with keys twice, or __proto__': bodies(({ key }) => [
    `{"query":"{__typename}","query":"${key}"}`,
    `{"query":"${key}","query":"{__typename}"}`,
    `{"query":"{__typename}","variables":{"a":"${key}","a":"${key}"},"variables":"${key}"}`,
    `{"query":"{__typename}","__proto__":{"${key}":"${key}"}}`,
    `{"query":"{__typename}","variables":{"__proto__":{"${key}":"${key}"}}}`,
    `{"query":"{__typename}","constructor":{"prototype":"${key}"}}`,
    JSON.stringify({ query: create, variables: { input: 'I' } }).replace(
      '"I"',
      `{"name":"A","__proto__":"${key}","value":"${key}"}`,
    ),
  ]),
  'variables as something else than an object': bodies((canary) =>
    [canary.key, [canary.key], Number(canary.digits), true, ...wrongJson(canary)].flatMap((variables) =>
      ['{ __typename }', create, lists].map((query) => JSON.stringify({ query, variables })),
    ),
  ),
  'a variable as something else than an input, or one too much': bodies((canary) =>
    [canary.key, Number(canary.digits), ...wrongJson(canary)].flatMap((wrong) =>
      [
        { input: wrong },
        { input: [wrong] },
        { [canary.key]: wrong },
        { input: null, [canary.key]: canary.key },
        { input: {}, [canary.word]: wrong },
        { inptu: { value: canary.key } },
      ].map((variables) => JSON.stringify({ query: create, variables })),
    ),
  ),
  'a variable of a wrong type in the document': each(({ key, word, digits }) =>
    [
      'String',
      'Int',
      'Boolean',
      'Float',
      'ID',
      'TeamRole',
      '[String!]',
      'Nonsense',
      'Secret',
      'CreateSecretInput',
      'DateTime',
    ].flatMap((type) =>
      [key, word, Number(digits), [key], { value: key }].map(
        (v) => (client: Client) => client.run(`query ($v: ${type}) { secrets(after: $v) { totalCount } }`, { v }),
      ),
    ),
  ),
  'operationName, extensions or a parameter that is not there': bodies(({ key, word, digits }) => {
    const query = 'query A { __typename } query B { __typename }';
    return [key, word, [key], { [key]: key }, Number(digits)].flatMap((wrong) => [
      JSON.stringify({ query, operationName: wrong }),
      JSON.stringify({ query, operationName: 'A', extensions: wrong }),
      JSON.stringify({ query, operationName: 'A', extensions: { persistedQuery: { version: 1, sha256Hash: wrong } } }),
      JSON.stringify({ query, operationName: 'A', [key]: wrong }),
      JSON.stringify({ query, operationName: 'A', [word]: wrong }),
      JSON.stringify({ query, operationName: 'A', id: wrong, value: wrong }),
    ]);
  }),
  'a batch': bodies(({ key }) => {
    const [fine, bad] = [{ query: '{ __typename }' }, { query: create, variables: { input: { value: key } } }];
    return [
      JSON.stringify([fine, bad]),
      JSON.stringify([bad, { query: key }, { [key]: key }, null, key, [key]]),
      JSON.stringify([fine, { query: '{ __typename }', [key]: key }]),
      JSON.stringify(Array(11).fill(bad)),
      JSON.stringify([fine, { query: `mutation { createSecret(input: { value: "${key}` }]),
    ];
  }),
  'the query of a URL': each(({ key, word, digits }) => {
    const query = '{ __typename }';
    const inline = `mutation { createSecret(input: { name: "A", provider: "p", value: "${key}" }) { secret { id } } }`;
    return [
      { query: key },
      { query: inline },
      { query: word },
      { query: create, variables: JSON.stringify({ input: { ...good(), value: key } }) },
      { query: lists, variables: JSON.stringify({ owner: key }) },
      { query, variables: key },
      { query, variables: `{"v":"${key}` },
      { query, variables: `"${key}"` },
      { query, variables: digits },
      { query, extensions: key },
      { query, extensions: `["${key}"]` },
      { query, operationName: key },
      { query, [key]: key },
      { value: key },
      { query, access_token: key },
    ].map((parameters) => (client: Client) => client.get(parameters));
  }),
  'a path or a method': each(({ key, word }) => [
    (client) => client.http({ path: `/${key}` }),
    (client) => client.http({ path: `/../${key}?value=${key}`, method: 'POST' }),
    (client) => client.http({ path: `?query=%${key}` }),
    (client) => client.http({ method: 'PUT', body: key }),
    (client) => client.http({ method: 'DELETE', path: `?value=${key}` }),
    (client) => client.http({ method: 'OPTIONS', headers: { origin: `https://${key}.test` } }),
    (client) => client.raw(`GET http://${key}/ HTTP/1.1\nHost: ${key}\n\n`),
    (client) => client.raw(`GET /${key} HTTP/1.1\nHost: ${key}\n\n`),
    (client) => client.raw(`${word} /graphql HTTP/1.1\nHost: a\n\n`),
  ]),
  'what is no HTTP': each(({ key }) => [
    (client) => client.raw(`${key}\n\n`),
    (client) => client.raw(`GET /graphql HTTP/${key}\nHost: a\n\n`),
    (client) => client.raw(`GET /graphql HTTP/1.1\n${key}\n\n`),
    (client) => client.raw(`GET /graphql HTTP/1.1\nHost: a\nX-A: ${key}\u0000\n\n`),
    (client) => client.raw(`GET /graphql HTTP/1.1\nX-A: ${key}\n\n`),
    (client) => client.raw(`GET /graphql HTTP/1.1\nHost: a\nX-A: ${key.repeat(500)}\n\n`),
    (client) => client.raw(`POST /graphql HTTP/1.1\nHost: a\nContent-Length: ${key}\n\n${key}`),
    (client) => client.raw(`POST /graphql HTTP/1.1\nHost: a\nExpect: ${key}\nContent-Length: 2\n\n{}`),
    (client) =>
      client.raw(
        `POST /graphql HTTP/1.1\nHost: a\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n${key}\n`,
      ),
    (client) => client.raw(`POST /graphql HTTP/1.1\nHost: a\nTransfer-Encoding: ${key}\n\n`),
  ]),
  'credentials that are wrong': headers(({ key }) => [
    { authorization: key },
    { authorization: `Bearer ${key}` },
    { authorization: `Bearer ${key} ${key}` },
    { authorization: `Bearer ${key}.${key}.${key}` },
    { authorization: `Basic ${btoa(key)}` },
    { authorization: `Bearer ${base64url({ alg: 'none', kid: key })}.${base64url({ sub: key })}.` },
    { authorization: `Bearer ${base64url({ alg: 'ES256', kid: key })}.${base64url({ sub: key })}.${key}` },
    { authorization: `Bearer ${base64url({ alg: key, jku: `https://${key}.test` })}.${base64url({ iss: key })}.c2ln` },
    { 'x-api-key': key },
    { 'x-api-key': `${key}x` },
    { 'x-api-key': [key, key] },
    { 'x-api-key': `Bearer ${key}` },
    { 'x-api-key': `sgk_${key}`, authorization: `Bearer ${key}` },
  ]),
  'a token that is signed, and wrong otherwise': async (client, { key }) => {
    for (const claims of [
      { iss: key },
      { aud: key },
      { exp: key },
      { teams: { [key]: key } },
      { scope: [key] },
      { sub: { [key]: key } },
    ]) {
      const token = await client.gateway.issuer.token(claims).catch(() => key);
      await client.run('{ viewer { subject } }', {}, { authorization: `Bearer ${token}` });
    }
    const token = await client.gateway.issuer.token({ scope: `secrets:read ${key}` }, { typ: key });
    await client.run('{ viewer { scopes } }', {}, { authorization: `Bearer ${token}` });
  },
  'a header': headers(({ key }) => [
    { accept: key },
    { accept: `text/${key}, application/json;charset=${key};q=${key}` },
    { 'content-type': key },
    { 'content-type': `application/json; charset=${key}` },
    { 'content-type': `multipart/form-data; boundary=${key}` },
    { 'content-encoding': key },
    { 'accept-encoding': key, 'accept-language': key },
    { 'x-request-id': `${key} ${key}` },
    { 'x-request-id': `"${key}"` },
    { 'x-request-id': key.repeat(10) },
    { cookie: `session=${key}` },
    { origin: `https://${key}.test`, referer: `https://${key}.test/${key}` },
    { 'user-agent': key, 'x-secret': key, [key]: key },
    { 'x-forwarded-for': key, 'x-forwarded-proto': key, forwarded: `for=${key}` },
    { traceparent: key, baggage: `secret=${key}` },
    { 'x-http-method-override': key, 'apollo-require-preflight': key },
    { 'if-none-match': key, range: key },
  ]),
};

function base64url(json: unknown): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url');
}

function unicodeEscaped(text: string): string {
  return [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
}

function prefixes(text: string): string[] {
  return Array.from({ length: text.length }, (_, length) => text.slice(0, length));
}

function withInsertions(text: string, inserted: readonly string[]): string[] {
  return inserted.flatMap((one) =>
    Array.from({ length: text.length }, (_, at) => text.slice(0, at) + one + text.slice(at)),
  );
}

describe.each(storeNames)('a secret that a client sends, on %s,', (store) => {
  const canaries = new Map(Object.keys(positions).map((position) => [position, new Canary()]));
  const found = {
    metrics: new Set<string>(),
    answers: new Set<string>(),
    log: new Set<string>(),
    output: new Set<string>(),
    database: new Set<string>(),
    spans: new Set<string>(),
  };
  const planted = { notes: `planted-${random(32)}`, requestId: `planted-${random(32)}` };
  const output: string[] = [];
  let metrics = '';
  const answered = new Map<string, string[]>();
  let gateway: TestGateway;
  let client: Client;
  let spans: ToldSpans;

  beforeAll(async () => {
    spans = new ToldSpans();
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    client = new Client(gateway);
    const spies = [process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, 'write').mockImplementation((chunk) => output.push(String(chunk)) > 0),
    );
    try {
      for (const [position, send] of Object.entries(positions)) {
        const before = client.answers.length;
        await send(client, canaries.get(position) as Canary);
        answered.set(position, client.answers.slice(before));
      }
      process.stderr.write(planted.notes);
      await client.run(create, { input: { ...good(), notes: planted.notes } }, { 'x-request-id': planted.requestId });
      await client.run('{ secrets(filter: { nameStartsWith: "NAME_" }, first: 1000) { nodes { notes } } }');
      await client.run('{ nonsense }', {}, { 'x-request-id': planted.requestId });
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    metrics = await (await fetch(new URL('/metrics', gateway.url))).text();
    const atWork = await stored(gateway);
    await gateway.stop();
    const detector = new LeakDetector([
      ...[...canaries.values()].flatMap(({ forms }) => forms),
      ...Object.values(planted),
    ]);
    found.answers = detector.find(client.answers.join('\n'));
    found.metrics = detector.find(metrics);
    // Without the times, each of which has digits that some canary has by chance.
    found.log = detector.find(gateway.log.join('').replaceAll(/"time":\d{13}/g, ''));
    found.output = detector.find(output.join(''));
    found.spans = detector.find(spans.text());
    found.database = detector.find(Buffer.concat([atWork, await stored(gateway)]));
  }, 120_000);
  afterAll(async () => {
    spans.stop();
    await gateway.close();
  });

  describe.each(Object.keys(positions))('as %s', (position) => {
    const forms = () => canaries.get(position)?.forms ?? [];

    it('appears in no answer, log line, metric, span, output or row', () => {
      const places = Object.entries(found).flatMap(([place, markers]) =>
        forms().some((form) => markers.has(form)) ? [place] : [],
      );
      expect.soft(places).toEqual([]);
      const detector = new LeakDetector(forms());
      expect((answered.get(position) ?? []).filter((answer) => detector.find(answer).size > 0)).toEqual([]);
    });

    it('is answered, and never with an internal error', () => {
      const answers = answered.get(position) ?? [];
      expect(answers.length).toBeGreaterThan(0);
      for (const answer of answers) expect(answer).not.toMatch(/^5\d\d |INTERNAL_SERVER_ERROR/);
    });
  });

  it('is the value that the stored envelope opens to', async () => {
    const opened = await Promise.all(
      [
        'a value, created for a user',
        'a value, updated',
        'a value as an inline literal',
        'a value with escapes of every kind',
        'a value in a seal, used once and again, whose one-time id is it too',
      ].map(async (position) => {
        const id = /"id":"([^"]+)"/.exec(answered.get(position)?.[0] ?? '')?.[1] ?? '';
        return (await gateway.openValue(id)).value === canaries.get(position)?.key;
      }),
    );
    expect(opened).toEqual([true, true, true, true, true]);
  });

  it('would be found: the detector finds text that is allowed in answers, log, output and database', () => {
    expect(found.answers).toContain(planted.notes);
    expect(found.database).toContain(planted.notes);
    expect(found.output).toContain(planted.notes);
    expect(found.log).toContain(planted.requestId);
    // The audit chain has request ids.
    expect(found.database).toContain(planted.requestId);
    expect(found.log).not.toContain(planted.notes);
    expect(metrics).toContain('resolveSecrets');
    expect(metrics).toContain('createSecret');
    expect(spans.text()).toContain('delivery.seal');
    expect(spans.text()).toContain('crypto.openSealedInput');
  });
});

describe('an error stays helpful', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start();
  });
  afterAll(() => gateway.close());

  it.each([
    ['{ secrets { nodes { nmae } } }', {}, 'Cannot query field "nmae" on type "Secret". Did you mean "name"?'],
    [
      '{ secrets(frist: 3) { totalCount } }',
      {},
      'Unknown argument "frist" on field "Query.secrets". Did you mean "first" or "last"?',
    ],
    [
      'mutation { createSecret(input: { nmae: "A" }) { secret { id } } }',
      {},
      'Field "nmae" is not defined by type "CreateSecretInput". Did you mean "name"?',
    ],
    [
      'query ($o: OwnrInput) { secrets(owner: $o) { totalCount } }',
      {},
      'Unknown type "OwnrInput". Did you mean "OwnerInput"?',
    ],
    [
      '{ secrets }',
      {},
      'Field "secrets" of type "SecretConnection!" must have a selection of subfields. Did you mean "secrets { ... }"?',
    ],
    ['{ secrets(first: "ten") { totalCount } }', {}, 'Expected type "Int": a whole number of at most 32 bits.'],
    ['{ secrets { totalCount }', {}, 'Syntax Error: Expected Name, found <EOF>.'],
    ['query ($id: ID!) { secret(id: $id) { id } }', {}, 'Variable "$id" of required type "ID!" was not provided.'],
    [
      create,
      { input: { name: 'A', vlaue: 'x' } },
      expect.stringMatching(
        /^Variable "\$input" got an invalid value at "input"; It has a field that type "CreateSecretInput" does not define\. Its fields are .*"value"/,
      ),
    ],
    [
      create,
      { input: { name: 7 } },
      'Variable "$input" got an invalid value at "input.name"; Expected type "String": a string.',
    ],
  ])('%s', async (query, variables, message) => {
    const { errors } = await gateway.run(query, variables);
    expect(errors.map((error) => error.message)).toContainEqual(message);
  });
});
