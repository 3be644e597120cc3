import { describe, expect, it } from 'vitest';
import { brokerCredentialOf } from '../../src/broker/credential.ts';
import { refuseOwnCredentials } from '../../src/broker/own-credentials.ts';
import { DomainError } from '../../src/errors.ts';
import { newApiKey } from '../../src/identity/api-key.ts';
import { createOwnTokenRule } from '../../src/identity/unverified-token.ts';
import { foreignToken, handMadeToken, ownIssuer, ownToken } from '../support/hand-made-token.ts';

const key = newApiKey();
const otherKey = newApiKey();
const placeholder = 'sec_a23f23d26';
const used = ['Authorization', `Bearer ${key}`];
const isOwnToken = createOwnTokenRule([{ ...ownIssuer, issuer: 'https://first.test' }, ownIssuer]);

interface Sent {
  path?: string;
  query?: string;
  headers?: string[];
}

function check({ path = '/v1/models', query = '', headers = [] }: Sent, credential = used): void {
  const rawHeaders = [...credential, ...headers];
  refuseOwnCredentials({ path, query }, rawHeaders, brokerCredentialOf({ rawHeaders: credential }), isOwnToken);
}

/** The description of the refusal; undefined where there is none. */
function refusal(sent: Sent, credential = used): string | undefined {
  try {
    check(sent, credential);
    return undefined;
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'BAD_REQUEST') throw error;
    return error.details.description;
  }
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const everyCharacter = (text: string) =>
  Array.from(text, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
const words: [string, string][] = [
  ['the API key that was used', key],
  ['another API key', otherKey],
  ['a token', ownToken],
  ['a token that has expired', handMadeToken({ iss: 'https://issuer.test', aud: 'secrets-gateway', exp: 1 })],
  ['a placeholder', placeholder],
];

describe('credentials and placeholders of the gateway are refused', () => {
  it.each(words)('%s: in the path', (_, word) => {
    const paths = [
      word,
      `v1/${word}`,
      `v1/${word}/x`,
      `a-${word}:b`,
      `a%20${word}%20b`,
      encodeURIComponent(`ü${word}`),
    ];
    for (const path of [
      ...paths,
      everyCharacter(word),
      everyCharacter(everyCharacter(word)),
      word.replace('_', '%5F'),
    ]) {
      expect(refusal({ path: `/${path}` }), path).toMatch(/^The path has /);
    }
  });

  it.each(words)('%s: in the query', (_, word) => {
    const encoded = [
      word,
      everyCharacter(word),
      everyCharacter(everyCharacter(word)),
      word.replace(/.$/, everyCharacter),
    ];
    const queries = encoded.flatMap((one) => [
      `?${one}`,
      `?key=${one}`,
      `?a=b&${one}=c`,
      `?q=a+${one}+b`,
      `?q="${one}"`,
      `?%=${one}`,
    ]);
    for (const query of [...queries, `?auth=${base64(`a:${word}`)}`])
      expect(refusal({ query }), query).toMatch(/^The query has /);
  });

  it.each(words)('%s: in a header', (_, word) => {
    const values = [
      word,
      `Bearer ${word}`,
      `a=1, token="${word}"; b`,
      `https://x.test/?k=${word}&b`,
      everyCharacter(word),
    ];
    const basic = [`${word}:`, `api:${word}`, `ada:b:${word}`].map((pair) => `Basic ${base64(pair)}`);
    for (const value of [...values, ...basic, `basic ${base64(`é:${word}`)}`]) {
      for (const name of ['X-Note', 'user-agent', 'X-Api-Token', 'Content-Type', 'traceparent']) {
        expect(refusal({ headers: [name, value] }), `${name}: ${value}`).toMatch(/^A header has /);
      }
    }
  });

  it('a placeholder or a key as the name of a header', () => {
    expect(refusal({ headers: [`x-${placeholder}`, '1'] })).toMatch(/^The name of a header has /);
    expect(refusal({ headers: [`x-${key}`, ''] })).toMatch(/^The name of a header has /);
  });

  it('glued to other letters, where a checksum or a signature tells what it is', () => {
    for (const word of [key, otherKey, ownToken]) {
      for (const text of [`token_${word}`, `${word}x`, `x-${word}-x`, `a.b.${word}.c.d`, `eyJ0eXAi.eyJ.${word}`]) {
        expect(refusal({ query: `?${text}` }), text).toBeDefined();
      }
    }
  });

  it('the header of the destination is no exception: Authorization, when the credential is in Proxy-Authorization', () => {
    const proxy = ['Proxy-Authorization', `Bearer ${key}`];
    expect(refusal({}, proxy)).toBeUndefined();
    for (const [, word] of words)
      expect(refusal({ headers: ['Authorization', `Bearer ${word}`] }, proxy)).toMatch(/^A header has /);
    expect(refusal({ headers: ['Authorization', `Bearer ${foreignToken}`] }, proxy)).toBeUndefined();
    expect(refusal({ headers: ['Authorization', `Bearer ${ownToken}`] }, ['X-API-Key', key])).toMatch(/^A header has /);
  });

  it('and the refusal repeats nothing of them', () => {
    for (const [, word] of words) {
      for (const sent of [{ path: `/${word}` }, { query: `?${word}` }, { headers: ['X-Marker', word] }]) {
        expect(refusal(sent)).not.toMatch(/marker|sgk_|sec_|eyJ/i);
      }
    }
  });
});

describe('what is nobody’s secret here passes', () => {
  it('the requests of SDKs, with the credential where the key goes', () => {
    const stainless = [
      'X-Stainless-Lang',
      'js',
      'X-Stainless-Package-Version',
      '4.20.1',
      'X-Stainless-Runtime-Version',
      'v26.0.0',
    ];
    const ids = [
      'Idempotency-Key',
      'stainless-node-retry-4c07bc67-57ea-42dd-b702-c2d6c45419fc',
      'OpenAI-Organization',
      'org-AbCdEfGhIjKlMnOpQrStUvWx',
    ];
    const traces = [
      'traceparent',
      '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'baggage',
      'userId=alice,serverNode=DF%2028',
    ];
    const stripe = [
      'X-Stripe-Client-User-Agent',
      '{"bindings_version":"14.5.0","lang":"node","platform":"linux"}',
      'Stripe-Version',
      '2023-10-16',
    ];
    const agent = [
      'User-Agent',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
    ];
    const digest = ['Content-MD5', '1B2M2Y8AsgTpgAmY7PhCfg==', 'Content-Digest', `sha-256=:${base64('x'.repeat(32))}:`];
    expect(
      refusal({
        headers: [...stainless, ...ids, ...traces, ...stripe, ...agent, ...digest],
        query: '?api-version=2024-10-21',
      }),
    ).toBeUndefined();
    for (const credential of [`Basic ${base64(`${key}:`)}`, key, `token ${key}`]) {
      expect(refusal({ headers: agent }, ['Authorization', credential])).toBeUndefined();
    }
    expect(refusal({}, ['x-goog-api-key', ownToken])).toBeUndefined();
  });

  it('tokens of others, and of the issuer for others', () => {
    const forOthers = handMadeToken({ iss: 'https://issuer.test', aud: 'https://api.elsewhere.test' });
    for (const token of [
      foreignToken,
      forOthers,
      'eyJhbGciOiJFUzI1NiJ9.bm90IGpzb24.c2ln',
      `${foreignToken.slice(0, 40)}.a.b`,
    ]) {
      expect(refusal({ query: `?t=${token}`, path: `/${token}`, headers: ['X-Token', token] }), token).toBeUndefined();
    }
  });

  it('words that are nearly one', () => {
    const typo = key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');
    const near = [
      'sec_a23f23d2',
      'sec_a23f23d267',
      'sec_A23F23D26',
      'xsec_a23f23d26',
      'sec_a23f23d26x',
      'sec_a23f23d2g',
      'my_sec_a23f23d26',
    ];
    for (const text of [
      ...near,
      typo,
      key.slice(0, -1),
      'sgk_',
      'sec_',
      ownToken.slice(0, 30),
      'a.b.c',
      '...',
      '%',
      '%zz%',
    ]) {
      expect(refusal({ path: `/${text}`, query: `?${text}`, headers: ['X-Note', text] }), text).toBeUndefined();
    }
  });

  it('headers that are not forwarded', () => {
    for (const name of ['Cookie', 'X-Forwarded-Access-Token', 'Referer', 'X-Amzn-Oidc-Data', 'Via', 'Proxy-Note']) {
      expect(refusal({ headers: [name, `token=${ownToken}; ${placeholder}`] }), name).toBeUndefined();
    }
  });
});

it('texts that are made to take time are read once, not again for each of their parts', () => {
  let asked = 0;
  const count = () => {
    asked += 1;
    return false;
  };
  const token = `${base64('{"alg":"none","a":{"a":{}}}')}.${base64('{"a": 1 }')}.`;
  const query = `?${token.repeat(16_000 / token.length)}%252525`;
  const credential = brokerCredentialOf({ rawHeaders: used });
  expect(() => refuseOwnCredentials({ path: '/', query }, used, credential, count)).toThrow(DomainError);
  expect(asked).toBe(0);
  const few = `?${token.repeat(20)}%252525`;
  refuseOwnCredentials({ path: '/', query: few }, used, credential, count);
  expect(asked).toBeGreaterThan(10);
  expect(asked).toBeLessThan(60);
});
