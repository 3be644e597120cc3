import { createHmac, createPublicKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GraphQLAnswer, TestGateway } from '../support/gateway.ts';

const viewer = '{ viewer { subject scopes teams { id role } } }';
const create = 'mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id } } }';
const secretOfAda = { name: 'NAME', value: 'value', provider: 'p' };
const acceptTypes = ['application/graphql-response+json', 'application/json'];
const seconds = () => Math.floor(Date.now() / 1000);

let gateway: TestGateway;

beforeAll(async () => {
  // Wrong credentials use a rate limit up ten times as fast, and here they are the subject.
  gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
});
afterAll(() => gateway.close());

const call = (token: string | null, query = viewer) => gateway.run(query, {}, { token });
const withClaims = async (claims: Record<string, unknown>) => call(await gateway.issuer.token(claims));

/** Short, since a token has its limit too. */
function teamIds(count: number): string[] {
  return Array.from({ length: count }, (_, n) => n.toString(36));
}

/** What a client sees of a refusal, but for the request id, which is another each time. */
function refusalOf({ status, headers, text }: GraphQLAnswer) {
  const body = JSON.parse(text, (key, value) => (key === 'requestId' ? '' : value));
  return { status, wwwAuthenticate: headers.get('www-authenticate'), type: headers.get('content-type'), body };
}

describe('a good token', () => {
  it('says who is calling, in which teams, and what it may do', async () => {
    const { status, errors, data } = await withClaims({ teams: ['red', { id: 'blue', role: 'admin' }] });
    expect({ status, errors }).toEqual({ status: 200, errors: [] });
    expect(data.viewer).toEqual({
      subject: 'ada',
      scopes: ['secrets:read', 'secrets:write'],
      teams: [
        { id: 'red', role: 'MEMBER' },
        { id: 'blue', role: 'ADMIN' },
      ],
    });
  });

  const good: [string, Record<string, unknown>][] = [
    ['an audience in a list', { aud: ['somebody-else', 'secrets-gateway'] }],
    ['an exp passed within 30 s', { exp: seconds() - 15 }],
    ['an nbf to come within 30 s', { nbf: seconds() + 15 }],
    ['an nbf that has passed', { nbf: seconds() - 15 }],
    ['no iat', { iat: undefined }],
    ['no teams and no scope', { teams: undefined, scope: undefined }],
    ['claims nobody here knows', { nonce: 'n', cnf: { jkt: 'x' }, groups: { a: [1] } }],
    ['a subject in any language', { sub: 'Ωμέγα|数 1' }],
    ['a subject of 255 characters', { sub: 's'.repeat(255) }],
    ['1,000 teams', { teams: teamIds(1000) }],
  ];
  it.each(good)('with %s is accepted', async (_what, claims) => {
    const { errors, data } = await withClaims(claims);
    expect(errors).toEqual([]);
    expect(data.viewer.subject).toBe(claims.sub ?? 'ada');
  });

  it.each([undefined, 'at+jwt', 'AT+JWT', 'application/at+jwt', 'JWT', 'jwt'])(
    'of the type %s is accepted',
    async (typ) => {
      const token = await gateway.issuer.sign({ typ }, JSON.stringify(gateway.issuer.claims()));
      expect((await call(token)).errors).toEqual([]);
    },
  );

  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('comes with the scheme in any case: %s', async (scheme) => {
    const headers = { authorization: `${scheme} ${await gateway.issuer.token()}` };
    expect((await gateway.run(viewer, {}, { token: null, headers })).data.viewer.subject).toBe('ada');
  });

  it('has its scopes in one string, and those nobody here knows are not granted', async () => {
    const scope = 'openid secrets:read  profile SECRETS:WRITE secrets:readwrite';
    expect((await withClaims({ scope })).data.viewer.scopes).toEqual(['secrets:read']);
    expect((await withClaims({ scope: '' })).data.viewer.scopes).toEqual([]);
  });

  it('is in a team once, as what grants the most, however often it is named', async () => {
    const teams = ['a', { id: 'a', role: 'admin' }, 'a', 'b', { id: 'b' }];
    expect((await withClaims({ teams })).data.viewer.teams).toEqual([
      { id: 'a', role: 'ADMIN' },
      { id: 'b', role: 'MEMBER' },
    ]);
  });

  it('names its teams by id, or by id and role; the role is member where it is left out', async () => {
    const teams = ['a', { id: 'b' }, { id: 'c', role: 'member' }, { id: 'd', role: 'admin', more: true }];
    expect((await withClaims({ teams })).data.viewer.teams).toEqual([
      { id: 'a', role: 'MEMBER' },
      { id: 'b', role: 'MEMBER' },
      { id: 'c', role: 'MEMBER' },
      { id: 'd', role: 'ADMIN' },
    ]);
    expect((await withClaims({ teams: [] })).data.viewer.teams).toEqual([]);
  });

  it('without the scope of an operation is PERMISSION_ERROR, and names the scope', async () => {
    const token = await gateway.issuer.token({ scope: 'secrets:read' });
    const { status, errors } = await gateway.run(create, { input: secretOfAda }, { token });
    expect(status).toBe(403);
    expect(errors[0]?.extensions).toMatchObject({ code: 'PERMISSION_ERROR', type: 'permission_error' });
    expect(errors[0]?.extensions.description).toContain('secrets:write');
    const none = await call(await gateway.issuer.token({ scope: undefined }), '{ secrets { totalCount } }');
    expect(none.errors[0]?.extensions.code).toBe('PERMISSION_ERROR');
  });
});

describe('wrong credentials: 401, and one and the same answer whatever was wrong', () => {
  const { issuer, audience } = { issuer: 'https://issuer.test', audience: 'secrets-gateway' };
  const claimed = (claims: Record<string, unknown>) => () => gateway.issuer.token(claims);
  const headed = (header: Record<string, unknown>) => () =>
    gateway.issuer.sign(header, JSON.stringify(gateway.issuer.claims()));
  const payload = (text: string) => () => gateway.issuer.sign({}, text);
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

  /** A token by somebody else, with a good kid. */
  async function forged(header: (publicJwk: object) => object, alg = 'ES256'): Promise<string> {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    return new SignJWT(gateway.issuer.claims())
      .setProtectedHeader({ alg, kid: 'key-1', typ: 'at+jwt', ...header(await exportJWK(publicKey)) })
      .sign(privateKey);
  }

  /** The classic: the public key, which everybody has, taken for a shared secret. */
  function signedWithPublicKey(key: string | Buffer): string {
    const signed = `${encode({ alg: 'HS256', kid: 'key-1', typ: 'JWT' })}.${encode(gateway.issuer.claims())}`;
    return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
  }

  /** Other last characters that decode to the same bytes. */
  async function nonCanonical(part: 0 | 1 | 2): Promise<string> {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (let padding = 0; ; padding += 1) {
      const parts = (
        await gateway.issuer.token({ padding: 'x'.repeat(padding) }, { padding: 'x'.repeat(padding) })
      ).split('.');
      const text = parts[part] ?? '';
      if (text.length % 4 === 0) continue;
      parts[part] = text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1) ?? '') + 1];
      expect(Buffer.from(parts[part] ?? '', 'base64url')).toEqual(Buffer.from(text, 'base64url'));
      return parts.join('.');
    }
  }

  const changed = (change: (parts: string[]) => string) => async () =>
    change((await gateway.issuer.token()).split('.'));

  const wrong: Record<string, () => string | Promise<string>> = {
    'iss: another issuer': claimed({ iss: 'https://attacker.test' }),
    'iss: this issuer with a slash': claimed({ iss: `${issuer}/` }),
    'iss: missing': claimed({ iss: undefined }),
    'aud: another audience': claimed({ aud: 'another' }),
    'aud: a list without this one': claimed({ aud: ['another', `${audience}2`] }),
    'aud: missing': claimed({ aud: undefined }),
    'aud: an empty list': claimed({ aud: [] }),
    'exp: more than 30 s ago': claimed({ exp: seconds() - 40 }),
    'exp: missing': claimed({ exp: undefined }),
    'exp: text': payload(JSON.stringify({ iss: issuer, aud: audience, sub: 'ada', exp: '9999999999' })),
    'exp: null': payload(JSON.stringify({ iss: issuer, aud: audience, sub: 'ada', exp: null })),
    'nbf: more than 30 s to come': claimed({ nbf: seconds() + 60 }),
    'nbf: text': payload(JSON.stringify({ iss: issuer, aud: audience, sub: 'ada', exp: 9999999999, nbf: 'now' })),
    'sub: missing': claimed({ sub: undefined }),
    'sub: empty': claimed({ sub: '' }),
    'sub: a number': claimed({ sub: 7 }),
    'sub: over 255 characters': claimed({ sub: 's'.repeat(256) }),
    'sub: an unpaired surrogate': claimed({ sub: 'ada\ud800' }),
    'scope: a list': claimed({ scope: ['secrets:read'] }),
    'scope: null': claimed({ scope: null }),
    'teams: a string': claimed({ teams: 'red' }),
    'teams: an object': claimed({ teams: { id: 'red' } }),
    'teams: null': claimed({ teams: null }),
    'teams: a number in the list': claimed({ teams: ['red', 7] }),
    'teams: null in the list': claimed({ teams: [null] }),
    'teams: an empty id': claimed({ teams: [''] }),
    'teams: over 1,000': claimed({ teams: teamIds(1001) }),
    'teams: an id of over 255 characters': claimed({ teams: ['t'.repeat(256)] }),
    'teams: no id': claimed({ teams: [{ role: 'admin' }] }),
    'teams: an unknown role': claimed({ teams: [{ id: 'red', role: 'owner' }] }),
    'teams: a role that every object has': claimed({ teams: [{ id: 'red', role: 'constructor' }] }),
    'typ: an id token': headed({ typ: 'id+jwt' }),
    'typ: a logout token': headed({ typ: 'logout+jwt' }),
    'typ: a DPoP proof': headed({ typ: 'dpop+jwt' }),
    'typ: empty': headed({ typ: '' }),
    'typ: a list': headed({ typ: ['JWT'] }),
    'alg: none': () => `${encode({ alg: 'none', typ: 'JWT' })}.${encode(gateway.issuer.claims())}.`,
    'alg: None': () => `${encode({ alg: 'None', kid: 'key-1' })}.${encode(gateway.issuer.claims())}.`,
    'alg: missing': headed({ alg: undefined }),
    'alg: HS256 with the public key as JSON': () => signedWithPublicKey(JSON.stringify(gateway.issuer.publicJwk)),
    'alg: HS256 with the public key as PEM': () =>
      signedWithPublicKey(
        createPublicKey({ key: { ...gateway.issuer.publicJwk }, format: 'jwk' }).export({
          type: 'spki',
          format: 'pem',
        }),
      ),
    'alg: HS256 with the public key as DER': () =>
      signedWithPublicKey(
        createPublicKey({ key: { ...gateway.issuer.publicJwk }, format: 'jwk' }).export({
          type: 'spki',
          format: 'der',
        }),
      ),
    'alg: EdDSA by a key of another kind': () => forged(() => ({}), 'EdDSA'),
    'alg: ES384, which is not on the list': () => forged(() => ({}), 'ES384'),
    'alg: RS256 by a key of another kind': () => forged(() => ({}), 'RS256'),
    'signature: by an unknown key': () => forged(() => ({})),
    'signature: by an unknown key with an unknown kid': () => forged(() => ({ kid: 'key-2' })),
    'signature: all zeros': changed(([head, body]) => `${head}.${body}.${'A'.repeat(86)}`),
    'signature: missing': changed(([head, body]) => `${head}.${body}.`),
    'signature: of another payload': changed(
      ([head, , sig]) => `${head}.${encode(gateway.issuer.claims({ sub: 'eve' }))}.${sig}`,
    ),
    'header: jwk with the forger’s own key': () => forged((jwk) => ({ jwk, kid: undefined })),
    'header: jwk, and a good kid': () => forged((jwk) => ({ jwk })),
    'header: x5c': () => forged(() => ({ x5c: ['MIIB'], kid: undefined })),
    'header: crit of an unknown extension': headed({ crit: ['exp'], exp: 1 }),
    'header: crit, empty': headed({ crit: [] }),
    'header: crit b64, true': headed({ crit: ['b64'], b64: true }),
    'header: b64 false': headed({ b64: false }),
    'header: crit b64, false': headed({ crit: ['b64'], b64: false }),
    'header: not JSON': changed(([, body, sig]) => `${Buffer.from('{').toString('base64url')}.${body}.${sig}`),
    'payload: not JSON': payload('{'),
    'payload: a list': payload('[]'),
    'payload: null': payload('null'),
    'payload: empty': payload(''),
    'form: header in other base64url': () => nonCanonical(0),
    'form: payload in other base64url': () => nonCanonical(1),
    'form: signature in other base64url': () => nonCanonical(2),
    'form: padded base64url': changed((parts) => `${parts.join('.')}==`),
    'form: base64 instead of base64url': async () => {
      for (;;) {
        const token = await gateway.issuer.token({ jti: crypto.randomUUID() });
        if (/[-_]/.test(token)) return token.replaceAll('-', '+').replaceAll('_', '/');
      }
    },
    'form: two parts': changed(([head, body]) => `${head}.${body}`),
    'form: four parts': changed((parts) => `${parts.join('.')}.`),
    'form: five parts, as of an encrypted one': changed((parts) => `${parts.join('.')}.AAAA.AAAA`),
    'form: JSON serialisation': changed(([head, body, sig]) =>
      JSON.stringify({ protected: head, payload: body, signature: sig }),
    ),
    'form: over 12 KiB': claimed({ filler: 'x'.repeat(9 * 1024) }),
    'form: one dot': () => '.',
    'form: dots alone': () => '..',
    'form: a word': () => 'token',
  };

  it.each(Object.keys(wrong))('%s', async (name) => {
    const token = (await wrong[name]?.()) ?? '';
    const reference = refusalOf(await call('wrong'));
    expect(reference).toMatchObject({ status: 401, wwwAuthenticate: 'Bearer realm="secrets-gateway"' });
    expect(reference.body).toEqual({
      errors: [
        {
          message: 'Authentication is required.',
          extensions: {
            code: 'UNAUTHORIZED',
            status: 401,
            type: 'authentication_error',
            requestId: '',
            description: 'Send a valid token as "Authorization: Bearer <token>".',
          },
        },
      ],
    });
    expect(refusalOf(await call(token))).toEqual(reference);
    // Nor does it become good by being asked again.
    expect(refusalOf(await call(token))).toEqual(reference);
  });

  const schemes = ['Basic YWRhOnB3', 'Bearer', 'Bearer ', 'Token abc', 'Bearer a b', 'Bearer, Bearer', ''];
  it.each(schemes)('Authorization: "%s"', async (authorization) => {
    const answer = await gateway.run(viewer, {}, { token: null, headers: { authorization } });
    expect(refusalOf(answer)).toEqual(refusalOf(await call('wrong')));
  });

  it('an API key that is none', async () => {
    const answer = await gateway.run(viewer, {}, { token: null, headers: { 'x-api-key': 'sgk_wrong' } });
    expect(refusalOf(answer)).toEqual(refusalOf(await call('wrong')));
  });

  it('is 401 under either media type, also for what needs no credentials', async () => {
    for (const accept of acceptTypes) {
      for (const query of [viewer, '{ __typename }']) {
        const { status, errors } = await gateway.run(query, {}, { token: 'wrong', headers: { accept } });
        expect({ accept, status, code: errors[0]?.extensions.code }).toEqual({
          accept,
          status: 401,
          code: 'UNAUTHORIZED',
        });
      }
    }
  });

  it('never asks the address in jku or x5u for keys', async () => {
    let requests = 0;
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'forger', alg: 'ES256' };
    const server = createServer((_request, response) => {
      requests += 1;
      response.end(JSON.stringify({ keys: [jwk] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    for (const header of [{ jku: url }, { x5u: url }, { jku: url, x5u: url, jwk }]) {
      const token = await new SignJWT(gateway.issuer.claims())
        .setProtectedHeader({ alg: 'ES256', kid: 'forger', ...header })
        .sign(privateKey);
      expect((await call(token)).status).toBe(401);
    }
    expect(requests).toBe(0);
    // The detector detects.
    await fetch(url);
    expect(requests).toBe(1);
    await new Promise((resolve) => server.close(resolve));
  });

  it('a token of the issuer’s own that names jku, x5u, jwk and x5c is good: they are ignored', async () => {
    const header = { jku: 'https://a.test/', x5u: 'https://a.test/', jwk: {}, x5c: ['x'] };
    expect((await call(await headed(header)())).data.viewer.subject).toBe('ada');
  });

  it('says nothing of the token in the log', async () => {
    const token = await gateway.issuer.token({ iss: 'https://attacker.test' });
    await call(token);
    const log = gateway.log.join('');
    for (const part of token.split('.')) expect(log).not.toContain(part);
  });
});

describe('algorithms', () => {
  it.each(['ES256', 'EdDSA', 'RS256', 'PS256'])('%s is accepted without a setting', async (algorithm) => {
    const other = await TestGateway.start();
    try {
      await other.issuer.addKey('key-2', algorithm);
      expect((await other.run(viewer, {}, { token: await other.issuer.token() })).data.viewer.subject).toBe('ada');
    } finally {
      await other.close();
    }
  });

  it('are those of JWT_ALGORITHMS and no others', async () => {
    const strict = await TestGateway.start('sqlite', { RATE_LIMIT: 'off', JWT_ALGORITHMS: 'EdDSA' });
    try {
      expect((await strict.run(viewer)).status).toBe(401);
      await strict.stop();
      await strict.launch({ JWT_ALGORITHMS: 'EdDSA,ES256' });
      expect((await strict.run(viewer)).data.viewer.subject).toBe('ada');
    } finally {
      await strict.close();
    }
  });
});

it('keys may come from a file instead of a URL', async () => {
  const offline = await TestGateway.start();
  try {
    await offline.stop();
    const file = join(offline.directory, 'jwks.json');
    await writeFile(file, JSON.stringify({ keys: [offline.issuer.publicJwk] }));
    await offline.launch({ JWT_JWKS_URL: '', JWT_JWKS_FILE: file });
    expect((await offline.run(viewer)).data.viewer.subject).toBe('ada');
    expect(offline.issuer.requests).toBe(0);
  } finally {
    await offline.close();
  }
});

describe('two credentials at once are BAD_REQUEST', () => {
  it('a good token and an API key, in either quality', async () => {
    for (const accept of acceptTypes) {
      for (const token of [undefined, 'wrong']) {
        const options = { ...(token && { token }), headers: { 'x-api-key': 'sgk_x', accept } };
        const { status, errors } = await gateway.run(viewer, {}, options);
        expect(status).toBe(400);
        expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_REQUEST', type: 'invalid_request_error' });
      }
    }
  });

  it('two Authorization headers, of which a proxy may have checked the other one', async () => {
    const token = await gateway.issuer.token();
    const answer = await rawStatus(['Authorization', `Bearer ${token}`, 'Authorization', 'Bearer other']);
    expect(answer).toBe(400);
    expect(await rawStatus(['Authorization', `Bearer ${token}`])).toBe(200);
  });

  /** fetch would join them. */
  async function rawStatus(headers: string[]): Promise<number | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const all = ['Host', new URL(gateway.url).host, 'Content-Type', 'application/json', ...headers];
    const sent = httpRequest(gateway.url, { method: 'POST', headers: all }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end(JSON.stringify({ query: viewer }));
    return promise;
  }
});

describe('no credentials', () => {
  const open: Record<string, string> = {
    __typename: '{ __typename }',
    '__typename of a mutation': 'mutation { __typename }',
    'introspection of the schema': '{ __schema { queryType { name fields { name } } } }',
    'introspection of a type': '{ __type(name: "Secret") { name fields { name } } }',
    _service: '{ _service { sdl } }',
    'these through fragments':
      'query { ...A a: __typename } fragment A on Query { ... on Query { ...B } } fragment B on Query { __typename }',
  };
  it.each(Object.keys(open))('%s is answered', async (name) => {
    const { status, errors, data } = await call(null, open[name]);
    expect({ status, errors }).toEqual({ status: 200, errors: [] });
    expect(Object.keys(data).length).toBeGreaterThan(0);
  });

  const id = '4c07bc67-57ea-42dd-b702-c2d6c45419fc';
  const closed: Record<string, string> = {
    viewer: '{ viewer { subject } }',
    secrets: '{ secrets { totalCount } }',
    secret: `{ secret(id: "${id}") { id } }`,
    _entities: `{ _entities(representations: [{ __typename: "Secret", id: "${id}" }]) { __typename } }`,
    'the same with nothing to find': '{ _entities(representations: []) { __typename } }',
    'only __typename of it': '{ secrets { __typename } }',
    'an open field beside it': '{ __typename _service { sdl } viewer { subject } }',
    'an alias that looks open': '{ __typename: viewer { subject } }',
    'an alias with an open name': '{ _service: secrets { totalCount } }',
    'an inline fragment': '{ ... { viewer { subject } } }',
    'an inline fragment on Query': '{ ... on Query { ... on Query { viewer { subject } } } }',
    'a fragment': '{ ...F } fragment F on Query { viewer { subject } }',
    'a fragment in a fragment':
      '{ ...A } fragment A on Query { __typename ...B } fragment B on Query { viewer { subject } }',
    'a fragment used twice': '{ ...A ...A } fragment A on Query { __typename viewer { subject } }',
    'a directive that includes it': '{ __typename viewer @include(if: true) { subject } }',
    'a second operation that is open': 'query A { viewer { subject } } query B { __typename }',
    'a field that is not there': '{ viewer { subjet } }',
    'a literal of the wrong type': 'mutation { createSecret(input: { name: 5 }) { secret { id } } }',
    createSecret: 'mutation { createSecret(input: { name: "NAME", value: "v", provider: "p" }) { secret { id } } }',
    'createSecret in a fragment':
      'mutation { __typename ...F } fragment F on Mutation { createSecret(input: { name: "NAME", value: "v", provider: "p" }) { secret { id } } }',
    'createSecret as an alias, without its result':
      'mutation { __typename: createSecret(input: { name: "NAME", value: "v", provider: "p" }) { __typename } }',
    updateSecret: `mutation { updateSecret(input: { id: "${id}", value: "v" }) { secret { id } } }`,
    deleteSecret: `mutation { deleteSecret(input: { id: "${id}" }) { id } }`,
  };
  it.each(Object.keys(closed))('%s is UNAUTHORIZED, 401 under either media type', async (name) => {
    for (const accept of acceptTypes) {
      const body = JSON.stringify({ query: closed[name], ...(name.startsWith('a second') && { operationName: 'A' }) });
      const answer = await gateway.send({ body }, { token: null, headers: { accept } });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="secrets-gateway"');
      expect(answer.errors).toHaveLength(1);
      expect(answer.errors[0]?.extensions).toMatchObject({ code: 'UNAUTHORIZED', type: 'authentication_error' });
      expect(answer.data ?? null).toBeNull();
    }
  });

  it('the answer says what wrong credentials are answered', async () => {
    const [none, wrong] = [await call(null), await call('wrong')];
    expect(none.errors[0]?.message).toBe(wrong.errors[0]?.message);
    expect({ ...none.errors[0]?.extensions, requestId: '' }).toEqual({ ...wrong.errors[0]?.extensions, requestId: '' });
  });

  it('a GET is UNAUTHORIZED too, and its token is not taken from the URL', async () => {
    const token = await gateway.issuer.token();
    for (const accept of acceptTypes) {
      const path = `?query=${encodeURIComponent(viewer)}&access_token=${token}`;
      const answer = await gateway.send({ method: 'GET' }, { token: null, headers: { accept } }, path);
      expect(answer.status).toBe(401);
    }
  });

  it.each([
    ['a field that breaks its rule', { input: { name: 'not a name', value: '', provider: 'p' } }],
    ['a masked value', { input: { name: 'NAME', value: '••••', provider: 'p' } }],
    ['an owner that cannot be', { input: { owner: { connectorId: 'c' }, name: 'NAME', value: 'v' } }],
    ['a variable of the wrong type', { input: { name: 7 } }],
    ['no variables', {}],
  ])('%s is UNAUTHORIZED before it is anything else', async (_what, variables) => {
    const { status, errors } = await gateway.run(create, variables, { token: null });
    expect(status).toBe(401);
    expect(errors.map((error) => error.extensions.code)).toEqual(['UNAUTHORIZED']);
  });

  it('nothing was written, whatever was tried', async () => {
    expect((await gateway.run('{ secrets { totalCount } }')).data.secrets.totalCount).toBe(0);
    // The detector detects: with credentials the same mutations do write.
    const { errors } = await gateway.run(closed['createSecret in a fragment'] ?? '');
    expect(errors).toEqual([]);
    expect((await gateway.run('{ secrets { totalCount } }')).data.secrets.totalCount).toBe(1);
  });
});

describe('in production', () => {
  let production: TestGateway;

  beforeAll(async () => {
    production = await TestGateway.start('sqlite', { NODE_ENV: 'production', RATE_LIMIT: 'off' });
  });
  afterAll(() => production.close());

  it.each(['{ __schema { queryType { name } } }', '{ __typename __type(name: "Secret") { name } }'])(
    'introspection is off, and without credentials like any other field: %s',
    async (query) => {
      const known = await production.run(query);
      expect([known.status, known.errors[0]?.extensions.code, known.data]).toEqual([400, 'BAD_REQUEST', undefined]);
      const anonymous = await production.run(query, {}, { token: null, headers: { accept: 'application/json' } });
      expect([anonymous.status, anonymous.errors[0]?.extensions.code]).toEqual([401, 'UNAUTHORIZED']);
    },
  );

  it('__typename and _service are answered without credentials', async () => {
    const { errors, data } = await production.run('{ __typename _service { sdl } }', {}, { token: null });
    expect(errors).toEqual([]);
    expect(data._service.sdl).toContain('type Secret');
  });
});
