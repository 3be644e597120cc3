import { describe, expect, it } from 'vitest';
import { describeError } from '../../src/runtime/log.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { LeakDetector } from '../support/leak-detector.ts';

const list = '{ secrets { totalCount } }';

describe.each(storeNames)('the log on %s', (store) => {
  it('is JSON with the id and the actor of the request, and no value, token or variable that was sent', async () => {
    const gateway = await TestGateway.start(store);
    try {
      const value = `sk-${crypto.randomUUID()}${crypto.randomUUID()}`;
      const [operation, alias, provider, wrong] = ['operation', 'alias', 'provider', 'token'].map(
        (word) => `${word}${crypto.randomUUID().replaceAll('-', '')}`,
      ) as [string, string, string, string];
      const token = await gateway.issuer.token();
      const input = { name: 'OPENAI_API_KEY', provider, value };
      const headers = { 'x-request-id': 'the-request.1' };
      const document = `mutation ${operation} ($input: CreateSecretInput!) { ${alias}: createSecret(input: $input) { secret { id } } }`;
      await gateway.run(document, { input }, { token, headers });
      await gateway.run(document, { input }, { token });
      await gateway.run('{ nope }', { input }, { token });
      await gateway.run(list, {}, { token: wrong, headers: { 'x-request-id': 'no good\tid' } });
      const lines = gateway.log.map((line) => JSON.parse(line));
      expect(lines.every(({ level, time }) => typeof level === 'number' && time !== undefined)).toBe(true);
      const mine = {
        requestId: expect.stringMatching(/./),
        actor: { kind: 'user', id: 'ada' },
        durationMs: expect.toSatisfy(Number.isInteger),
      };
      expect(lines.filter(({ msg }) => msg === 'operation')).toMatchObject([
        { ...mine, requestId: 'the-request.1', operation: 'createSecret', code: 'OK' },
        { ...mine, operation: 'createSecret', code: 'CONFLICT_ERROR' },
        { ...mine, operation: 'none', code: 'BAD_REQUEST' },
      ]);
      const refused = lines.filter(({ msg }) => msg === 'refused');
      expect(refused).toMatchObject([
        {
          code: 'UNAUTHORIZED',
          durationMs: expect.toSatisfy(Number.isInteger),
          requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        },
      ]);
      const all = gateway.log.join('');
      expect(
        new LeakDetector([value, operation, alias, provider, wrong, ...token.split('.').slice(1)]).find(all),
      ).toEqual(new Set());
    } finally {
      await gateway.close();
    }
  });
});

describe('what is logged of an error', () => {
  it('has its frames, and no line of its message that looks like one', () => {
    const quoted = 'quoted\n    at the-value (file:///the-value.ts:1:1)\n    at the-value:2:2\n';
    for (const error of [new Error(quoted), new TypeError('outer', { cause: new RangeError(quoted) })]) {
      const described = JSON.stringify(describeError(error));
      expect(described).not.toContain('the-value');
      expect(described).toContain('log.test.ts');
    }
  });

  it('has no frames when its message was replaced: what stands before them cannot be told apart', () => {
    const error = new Error('quoted\n    at the-value (file:///the-value.ts:1:1)');
    error.message = 'another';
    expect(JSON.stringify(describeError(error))).not.toContain('the-value');
  });
});
