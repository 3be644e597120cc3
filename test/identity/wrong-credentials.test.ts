import { createHmac, createPublicKey } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GraphQLAnswer, TestGateway } from '../support/gateway.ts';

const viewer = '{ viewer { subject } }';
const acceptTypes = ['application/graphql-response+json', 'application/json'];
const seconds = () => Math.floor(Date.now() / 1000);

let gateway: TestGateway;

beforeAll(async () => {
  // Wrong credentials take ten points of the rate limit, and these tests send many.
  gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
});
afterAll(() => gateway.close());

const call = (token: string) => gateway.run(viewer, {}, { token });

function refusalOf({ status, headers, text }: GraphQLAnswer) {
  const body = JSON.parse(text, (key, value) => (key === 'requestId' ? '' : value));
  return { status, wwwAuthenticate: headers.get('www-authenticate'), type: headers.get('content-type'), body };
}

describe('wrong credentials get 401, and the same answer whatever was wrong', () => {
  const { issuer, audience } = { issuer: 'https://issuer.test', audience: 'secrets-gateway' };
  const claimed = (claims: Record<string, unknown>) => () => gateway.issuer.token(claims);
  const headed = (header: Record<string, unknown>) => () =>
    gateway.issuer.sign(header, JSON.stringify(gateway.issuer.claims()));
  const payload = (text: string) => () => gateway.issuer.sign({}, text);
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

  /** A token signed by somebody else, with a good kid. */
  async function forged(header: (publicJwk: object) => object, alg = 'ES256'): Promise<string> {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    return new SignJWT(gateway.issuer.claims())
      .setProtectedHeader({ alg, kid: 'key-1', typ: 'at+jwt', ...header(await exportJWK(publicKey)) })
      .sign(privateKey);
  }

  /** The classic attack: the public key used as a shared secret. */
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
    'form: over 30 KiB': claimed({ filler: 'x'.repeat(23 * 1024) }),
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
            description: 'Send a valid token or API key as bearer credentials, or an API key in X-API-Key.',
          },
        },
      ],
    });
    expect(refusalOf(await call(token))).toEqual(reference);
    // A second request with the same token is refused too.
    expect(refusalOf(await call(token))).toEqual(reference);
  });

  const schemes = ['Basic YWRhOnB3', 'Bearer', 'Bearer ', 'Token abc', 'Bearer a b', 'Bearer, Bearer', ''];
  it.each(schemes)('Authorization: "%s"', async (authorization) => {
    const answer = await gateway.run(viewer, {}, { token: null, headers: { authorization } });
    expect(refusalOf(answer)).toEqual(refusalOf(await call('wrong')));
  });

  it('an unknown API key', async () => {
    const answer = await gateway.run(viewer, {}, { token: null, headers: { 'x-api-key': 'sgk_wrong' } });
    expect(refusalOf(answer)).toEqual(refusalOf(await call('wrong')));
  });

  it('are 401 under either media type, also for fields that need no credentials', async () => {
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

  it('never cause a request to the address in jku or x5u', async () => {
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
    // Positive control.
    await fetch(url);
    expect(requests).toBe(1);
    await new Promise((resolve) => server.close(resolve));
  });

  it('do not include a token of the issuer with jku, x5u, jwk and x5c: these headers are ignored', async () => {
    const header = { jku: 'https://a.test/', x5u: 'https://a.test/', jwk: {}, x5c: ['x'] };
    expect((await call(await headed(header)())).data.viewer.subject).toBe('ada');
  });

  it('never appear in the log', async () => {
    const token = await gateway.issuer.token({ iss: 'https://attacker.test' });
    await call(token);
    const log = gateway.log.join('');
    for (const part of token.split('.')) expect(log).not.toContain(part);
  });
});
