import { describe, expect, it } from 'vitest';
import { brokerCredentialOf } from '../../src/broker/credential.ts';
import { newApiKey } from '../../src/identity/api-key.ts';
import { foreignToken, handMadeToken, ownToken } from '../support/hand-made-token.ts';

const key = newApiKey();
const apiKey = { type: 'apiKey', key };
const bearer = { type: 'bearer', token: ownToken };
const base64 = (text: string) => Buffer.from(text).toString('base64');
const usual = ['Host', 'gateway.test', 'User-Agent', 'OpenAI/JS 4.20.1', 'Accept', 'application/json'];

const read = (...headers: string[]) => brokerCredentialOf({ rawHeaders: [...usual, ...headers] });
const refused = (code: string) => expect.objectContaining({ code });

describe('the credential is taken from the first of these', () => {
  it('Proxy-Authorization, whatever other headers hold of others', () => {
    const found = { credential: bearer, header: '', sentIn: 'proxy-authorization' };
    expect(read('Proxy-Authorization', `Bearer ${ownToken}`)).toEqual(found);
    expect(read('Authorization', `Bearer ${foreignToken}`, 'PROXY-authorization', `bearer  ${ownToken} `)).toEqual(
      found,
    );
    expect(read('Proxy-Authorization', `Bearer ${key}`, 'X-Api-Key', 'of-somebody-else').credential).toEqual(apiKey);
  });

  it('X-API-Key with an API key, whatever other headers hold of others', () => {
    const found = { credential: apiKey, header: '', sentIn: 'x-api-key' };
    expect(read('X-API-Key', key)).toEqual(found);
    expect(read('x-api-key', key, 'Authorization', `Bearer ${foreignToken}`, 'X-Api-Key', '')).toEqual(found);
  });

  it('the header where an SDK puts the key of the provider, in the format of the provider', () => {
    const headers = [
      'Authorization',
      'X-Goog-Api-Key',
      'api-key',
      'DD-API-KEY',
      'PRIVATE-TOKEN',
      'x-auth-token',
      'Key',
    ];
    for (const header of headers) {
      for (const [secret, credential] of [
        [key, apiKey],
        [ownToken, bearer],
      ] as const) {
        const formats = [secret, `Bearer ${secret}`, `token ${secret}`, `Token token="${secret}"`, `key=${secret}`];
        const basic = [`${secret}:`, `api:${secret}`, `ada@example.com/token:${secret}`].map(
          (pair) => `Basic ${base64(pair)}`,
        );
        for (const value of [...formats, ...basic, `user:${secret}`]) {
          expect(read(header, value), `${header}: ${value}`).toEqual({
            credential,
            header: header.toLowerCase(),
            sentIn: header.toLowerCase(),
          });
        }
      }
    }
  });

  it('the header of this request, whatever came before it on the connection', () => {
    const socket = {};
    const sent = (value: string) =>
      brokerCredentialOf({ rawHeaders: [...usual, 'Authorization', value], socket }).credential;
    for (const [value, credential] of [
      [`Bearer ${ownToken}`, bearer],
      [`Bearer ${ownToken}`, bearer],
      [`Bearer ${key}`, apiKey],
      [`Bearer ${ownToken}`, bearer],
    ] as const) {
      expect(sent(value)).toEqual(credential);
      expect(() => sent(`Bearer ${ownToken} ${key}`)).toThrow(refused('BAD_REQUEST'));
      expect(() => sent('Bearer of-somebody-else-with-forty-characters-0123')).toThrow(refused('UNAUTHORIZED'));
    }
  });

  it('x-api-key as any other header, when it holds a token', () => {
    expect(read('X-Api-Key', ownToken)).toEqual({ credential: bearer, header: 'x-api-key', sentIn: 'x-api-key' });
  });
});

describe('two credentials are BAD_REQUEST', () => {
  it.each([
    ['Proxy-Authorization twice', ['Proxy-Authorization', `Bearer ${key}`, 'Proxy-Authorization', `Bearer ${key}`]],
    ['X-API-Key twice', ['X-API-Key', key, 'X-API-Key', key]],
    ['X-API-Key twice, of which one is another', ['X-API-Key', 'other', 'X-API-Key', key]],
    ['Proxy-Authorization and X-API-Key', ['Proxy-Authorization', `Bearer ${ownToken}`, 'X-API-Key', 'sgk_typo']],
    ['one header twice', ['Authorization', `Bearer ${ownToken}`, 'Authorization', `Bearer ${ownToken}`]],
    ['two headers', ['Authorization', `Bearer ${ownToken}`, 'x-goog-api-key', key]],
    [
      'two headers, of which one has the token of somebody else',
      ['Authorization', `Bearer ${ownToken}`, 'X-Note', foreignToken],
    ],
    ['two in a header', ['Authorization', `Bearer ${ownToken}, Bearer ${key}`]],
    ['as user and password', ['Authorization', `Basic ${base64(`${key}:${key}`)}`]],
  ])('%s', (_, headers) => {
    expect(() => read(...headers)).toThrow(refused('BAD_REQUEST'));
  });

  it('and an empty header is none', () => {
    expect(read('Proxy-Authorization', '', 'X-API-Key', '', 'Authorization', key).credential).toEqual(apiKey);
  });
});

describe('no credential is UNAUTHORIZED', () => {
  const typo = key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');
  it.each([
    ['no header', []],
    ['the key of a provider', ['Authorization', 'Bearer sk-proj-0123456789012345678901234567890123456789']],
    ['an API key whose checksum is wrong', ['Authorization', `Bearer ${typo}`]],
    ['an API key within a longer word', ['Authorization', `Bearer x${key}`]],
    [
      'what looks like a token',
      ['Authorization', 'Bearer aaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbb.cccccccccccccccccccc'],
    ],
    ['a token without signature', ['Authorization', `Bearer ${ownToken.split('.').slice(0, 2).join('.')}.`]],
    ['a cookie, which browsers send unasked', ['Cookie', `session=${key}; token=${ownToken}`]],
    ['what a proxy adds', ['X-Forwarded-Access-Token', ownToken, 'X-Amzn-Oidc-Data', ownToken]],
    ['another scheme of Proxy-Authorization', ['Proxy-Authorization', `Basic ${base64(`api:${key}`)}`]],
    ['a scheme alone', ['Proxy-Authorization', 'Bearer']],
  ])('%s', (_, headers) => {
    expect(() => read(...headers)).toThrow(refused('UNAUTHORIZED'));
  });

  it('and what a text of the form is, is left to who verifies it', () => {
    const wrong = handMadeToken({}, { alg: 'none' });
    expect(read('Authorization', `Bearer ${wrong}`).credential).toEqual({ type: 'bearer', token: wrong });
    expect(read('X-API-Key', typo).credential).toEqual({ type: 'apiKey', key: typo });
  });
});
