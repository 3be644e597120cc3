import { randomUUID } from 'node:crypto';
import { generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.ts';
import { LeakDetector } from '../support/leak-detector.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off', LOG_LEVEL: 'trace' });
});
afterAll(() => gateway.close());

const encode = (text: string) => Buffer.from(text).toString('base64url');
const claims = (changed: Record<string, unknown>) => JSON.stringify(gateway.issuer.claims(changed));
const headed = (header: Record<string, unknown>, changed: Record<string, unknown> = {}) =>
  gateway.issuer.sign(header, claims(changed));
const claimed = (changed: Record<string, unknown>) => headed({}, changed);
const payload = (text: string) => gateway.issuer.sign({}, text);
const unsigned = (header: string, body: string) => `${encode(header)}.${encode(body)}.${'A'.repeat(86)}`;
const past = () => Math.floor(Date.now() / 1000) - 600;

async function forged(header: Record<string, unknown>, changed: Record<string, unknown> = {}): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256');
  const signed = new SignJWT(gateway.issuer.claims(changed));
  return signed.setProtectedHeader({ alg: 'ES256', kid: 'key-1', ...header }).sign(privateKey);
}

/** Tokens that are wrong, made of a text; and the reason that the log gives. */
const wrong: Record<string, [make: (text: string) => string | Promise<string>, reason: string]> = {
  'crit: an extension': [(text) => headed({ crit: [text], [text]: 1 }), 'crit'],
  'crit: an extension that is not there': [(text) => headed({ crit: [text] }), 'crit'],
  'crit: a known extension and another': [(text) => headed({ crit: ['b64', text], b64: true, [text]: text }), 'crit'],
  'crit: text': [(text) => headed({ crit: text }), 'content'],
  'crit: an object': [(text) => headed({ crit: [{ [text]: text }] }), 'content'],
  'crit: with another signature': [
    async (text) => (await headed({ crit: [text], [text]: 1 })).replace(/[^.]+$/, 'A'.repeat(86)),
    'crit',
  ],
  'b64: text': [(text) => headed({ crit: ['b64'], b64: text }), 'content'],
  'alg: text': [(text) => headed({ alg: text }), 'alg'],
  'alg: a list': [(text) => headed({ alg: [text] }), 'content'],
  'typ: text': [(text) => headed({ typ: text }), 'typ'],
  'typ: an object': [(text) => headed({ typ: { [text]: text } }), 'typ'],
  'kid: text': [(text) => headed({ kid: text }), 'kid'],
  'kid: an object': [(text) => headed({ kid: { [text]: text } }), 'kid'],
  'jku and x5u, with another signature': [(text) => forged({ jku: text, x5u: text }), 'signature'],
  'x5c, with another signature': [(text) => forged({ x5c: [text], x5t: text }), 'signature'],
  'jwk, with another signature': [(text) => forged({ jwk: { kty: text, x: text } as never }), 'signature'],
  'a header of any name, with another signature': [(text) => forged({ [text]: text, cty: text }), 'signature'],
  'header: not JSON': [(text) => unsigned(`{"alg":"ES256",${text}`, text), 'content'],
  'header: text': [(text) => unsigned(JSON.stringify(text), claims({})), 'content'],
  'header: a list': [(text) => unsigned(JSON.stringify([text]), claims({})), 'content'],
  'payload: not JSON': [(text) => payload(`{${text}`), 'content'],
  'payload: text': [(text) => payload(JSON.stringify(text)), 'content'],
  'payload: a list': [(text) => payload(JSON.stringify([text])), 'content'],
  'payload: bytes that are not UTF-8': [
    (text) => payload(Buffer.from(`\xff${text}`, 'latin1').toString('latin1')),
    'content',
  ],
  'iss: text': [(text) => claimed({ iss: text }), 'issuer'],
  'iss: a list': [(text) => claimed({ iss: [text] }), 'issuer'],
  'aud: text': [(text) => claimed({ aud: text }), 'audience'],
  'aud: a list': [(text) => claimed({ aud: [text, { [text]: text }] }), 'audience'],
  'sub: an object': [(text) => claimed({ sub: { [text]: text } }), 'sub'],
  'sub: too long': [(text) => claimed({ sub: text.repeat(10) }), 'sub'],
  'exp: text': [(text) => claimed({ exp: text }), 'expiry'],
  'exp: passed, with text elsewhere': [(text) => claimed({ exp: past(), jti: text, sub: text }), 'expiry'],
  'nbf: text': [(text) => claimed({ nbf: text }), 'nbf'],
  'iat: text': [(text) => claimed({ iat: text }), 'iat'],
  'any claim, with another signature': [(text) => forged({}, { [text]: text, sub: text, teams: [text] }), 'signature'],
  'signature: text': [
    (text) => `${encode('{"alg":"ES256","kid":"key-1"}')}.${encode(claims({}))}.${encode(text)}`,
    'signature',
  ],
  'form: one part': [(text) => text.replaceAll(/[^\w]/g, ''), 'form'],
  'form: four parts': [(text) => `${encode('{}')}.${encode(text)}.${encode(text)}.${encode(text)}`, 'form'],
};

describe('of a token that is wrong, no text is in the log or in the answer', () => {
  /** A marker as it is, and one that looks like a stack frame. */
  const texts: [string, (marker: string) => string][] = [
    ['a word', (marker) => marker],
    ['a stack frame', (marker) => `${marker}\n    at ${marker} (file:///${marker}.ts:1:1)\n    at ${marker}:1:1`],
  ];

  it.each(Object.keys(wrong).flatMap((kind) => texts.map(([what]) => [kind, what] as const)))(
    '%s: %s',
    async (kind, what) => {
      const [make, reason] = wrong[kind] ?? expect.unreachable();
      const marker = `marker${randomUUID().replaceAll('-', '')}`;
      const text = texts.find(([name]) => name === what)?.[1](marker) ?? '';
      const token = await make(text);
      gateway.log.length = 0;
      const answer = await gateway.run('{ viewer { subject } }', {}, { token });
      expect(answer.status).toBe(401);
      const log = gateway.log.join('');
      const detector = new LeakDetector([marker, ...token.split('.').filter((part) => part.length > 10)]);
      expect(detector.find(log + answer.text + JSON.stringify([...answer.headers]))).toEqual(new Set());
      // The log does tell why, in a fixed word.
      const told = gateway.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'refused');
      expect(told).toEqual([expect.objectContaining({ level: 30, code: 'UNAUTHORIZED', reason })]);
    },
  );

  it('would have been found: the detector finds a marker in a token', async () => {
    const marker = `marker${randomUUID().replaceAll('-', '')}`;
    const token = await headed({ crit: [marker] });
    expect(new LeakDetector([marker]).find(`{"msg":"${token}"}`)).toEqual(new Set([marker]));
    expect(wrong).toSatisfy((kinds: object) => Object.keys(kinds).length >= 30);
  });
});
