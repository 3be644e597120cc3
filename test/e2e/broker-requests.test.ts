import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  newUsable,
  newUser,
  rawUse,
  refusedBy,
  type Usable,
  type User,
  useAs,
  userKinds,
  useSecret,
} from '../support/broker.ts';
import { providersFile } from '../support/fake-provider.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { allowedPaths, bytesOf, faultsOf, gatewayWords, requestsOf } from '../support/generated-requests.ts';
import { hostileRequests } from '../support/hostile-requests.ts';
import { LeakDetector } from '../support/leak-detector.ts';
import { stored } from '../support/stored.ts';
import { ToldSpans } from '../support/told-spans.ts';
import { Upstream } from '../support/upstream.ts';

const generated = 500;

describe.each(storeNames)('requests through the broker on %s', (store) => {
  let gateway: TestGateway;
  let upstream: Upstream;
  /** Nothing may ever arrive here. Its address is what hostile hosts name. */
  let elsewhere: Upstream;
  const spans = new ToldSpans();
  const answers: string[] = [];
  const [values, words]: [string[], string[]] = [[], []];

  beforeAll(async () => {
    [upstream, elsewhere] = await Promise.all([Upstream.start(), Upstream.start()]);
    const destination = { origin: upstream.origin, header: 'x-api-key', format: '{value}' };
    const providers = await providersFile([{ id: 'anthropic', destination }]);
    gateway = await TestGateway.start(store, { ...providers, RATE_LIMIT: 'off', LOG_LEVEL: 'trace' });
  });
  afterAll(async () => {
    spans.stop();
    await gateway.close();
    await Promise.all([upstream.close(), elsewhere.close()]);
  });

  describe.each(userKinds)('used with %s', (kind) => {
    let user: User;
    let secret: Usable;
    let other: User;
    beforeAll(async () => {
      [user, other] = await Promise.all([newUser(gateway, kind), newUser(gateway, kind)]);
      secret = await newUsable(gateway, user, upstream, { paths: allowedPaths });
      values.push(secret.value);
      words.push(user.credential, other.credential);
    });
    beforeEach(() => {
      upstream.arrived.length = 0;
    });
    const fine = async () => (await useAs(gateway, user, `${secret.id}/v1/ok`)).text === 'fine';

    it('may have the credential where the SDKs of a provider send keys, if the destination is that of the provider', async () => {
      const provider = 'anthropic';
      const format = '{value}';
      const anthropic = await newUsable(gateway, user, upstream, { provider, header: 'X-Api-Key', format });
      const headers = { authorization: `Bearer ${user.credential}` };
      expect((await useSecret(gateway, `${anthropic.id}/ok`, { headers })).text).toBe('fine');
      values.push(anthropic.value);
      expect(upstream.last.head).toContain(`X-Api-Key: ${anthropic.value}\r\n`);
      expect(upstream.last.head).not.toMatch(/^authorization:/im);
      const others = [
        await newUsable(gateway, user, upstream, { provider: 'custom', header: 'X-Api-Key', format }),
        await newUsable(gateway, user, elsewhere, { provider, header: 'X-Api-Key', format }),
        await newUsable(gateway, user, upstream, { provider, header: 'X-Token', format }),
      ];
      for (const { id } of others) {
        expect(refusedBy(await useSecret(gateway, `${id}/ok`, { headers }))).toBe('UNAUTHORIZED');
      }
      const inOther = { 'x-other': `Bearer ${user.credential}` };
      expect(refusedBy(await useSecret(gateway, `${anthropic.id}/ok`, { headers: inOther }))).toBe('UNAUTHORIZED');
      expect(upstream.arrived).toHaveLength(1);
    });

    it('generated ones: none reaches another origin, path or header than the destination allows', async () => {
      const foreign = gatewayWords(user.credential, other.credential, secret.placeholder);
      const requests = fc.sample(requestsOf(secret, foreign), generated);
      const codes = new Map<string, number>();
      const queue = requests.values();
      const work = async () => {
        for (const request of queue) {
          const text = await rawUse(gateway, bytesOf(request, user), () => false);
          answers.push(text);
          const code =
            /^secrets-gateway-error: (\w+)/im.exec(text)?.[1] ?? /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 'none';
          codes.set(code, (codes.get(code) ?? 0) + 1);
          if (/^(?:none|INTERNAL|5\d\d$)/.test(code)) expect({ request, text }).toBeNull();
        }
      };
      await Promise.all(Array.from({ length: 8 }, work));
      const detector = new LeakDetector([user.credential, other.credential, secret.placeholder]);
      const wrong = upstream.arrived.flatMap((arrived) => {
        const faults = faultsOf(arrived, secret, upstream.origin);
        const found = detector.find(arrived.head);
        return faults.length + found.size > 0 ? [{ head: arrived.head, faults, found }] : [];
      });
      expect(wrong).toEqual([]);
      expect([elsewhere.connections, elsewhere.arrived]).toEqual([0, []]);
      // Some of each: neither is everything refused, nor is everything sent on.
      expect(upstream.arrived.length).toBeGreaterThan(generated / 50);
      expect(codes.get('BAD_REQUEST') ?? 0).toBeGreaterThan(generated / 50);
      expect(codes.get('UNPROCESSABLE_ENTITY') ?? 0).toBeGreaterThan(0);
    });

    it('a fault in what arrives would be found', async () => {
      await fine();
      const good = upstream.last;
      expect(faultsOf(good, secret, upstream.origin)).toEqual([]);
      const pair = ['Authorization', 'Bearer x'];
      for (const bad of [
        { ...good, target: '/v2' },
        { ...good, target: '/v1/../v2' },
        { ...good, target: '/v1/%2e%2e/v2' },
        { ...good, target: '/v1/a%2Fb' },
        { ...good, rawHeaders: [...good.rawHeaders, ...pair] },
        { ...good, rawHeaders: pair },
        { ...good, head: `${good.head}X: ${secret.value}` },
        { ...good, head: good.head.replace('\r\n', '\r\nCookie: a=b\r\n') },
        { ...good, rawHeaders: [...good.rawHeaders, 'Host', 'elsewhere'] },
      ]) {
        expect(faultsOf(bad, secret, upstream.origin)).not.toEqual([]);
      }
    });

    it.each(Object.keys(hostileRequests('', '', '')))('%s', async (name) => {
      const cases = hostileRequests(secret.id, user.credential, new URL(elsewhere.origin).host);
      const { bytes, verdict, answers: expected = 1 } = cases[name] ?? { bytes: '', verdict: 'refused' };
      const text = await rawUse(gateway, bytes, () => false);
      answers.push(text);
      const statuses = [...text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map(([, status]) => Number(status));
      const targets = upstream.arrived.map(({ target }) => target);
      if (verdict === 'refused') {
        expect({ text, targets, last: (statuses.at(-1) ?? 400) >= 400 }).toEqual({ text, targets: [], last: true });
      } else if (verdict === 'passes') {
        expect({ text, statuses: statuses.filter((status) => status !== 100) }).toEqual({
          text,
          statuses: Array(expected).fill(200),
        });
        expect(upstream.arrived).toHaveLength(expected);
      } else {
        // Sent on before its fault came: it must not look whole.
        for (const { body } of upstream.arrived) await expect(body).rejects.toThrow();
        expect(statuses.filter((status) => status < 400)).toEqual([]);
      }
      for (const arrived of upstream.arrived) expect(faultsOf(arrived, secret, upstream.origin)).toEqual([]);
      expect(targets.filter((target) => target.includes('smuggled'))).toEqual([]);
      expect(elsewhere.connections).toBe(0);
      expect(await fine()).toBe(true);
    });

    it('credentials and placeholders of the gateway in path, query and headers are refused, also encoded, and not repeated', async () => {
      const foreign = gatewayWords(user.credential, other.credential, secret.placeholder);
      for (const word of foreign) {
        for (const [path, headers] of [
          [`/v1/${word}`, {}],
          [`/v1/a/${encodeURIComponent(word)}/ok`, {}],
          [`/v1/ok?x=${encodeURIComponent(word)}`, {}],
          [`/v1/ok?${encodeURIComponent(word)}`, {}],
          ['/v1/ok', { 'x-other': word }],
          ['/v1/ok', { 'x-other': `a "${word}"` }],
        ] as const) {
          const answer = await useAs(gateway, user, secret.id + path, { headers });
          answers.push(answer.seen);
          expect([word, path, answer.headers['secrets-gateway-error']]).toEqual([word, path, 'BAD_REQUEST']);
        }
      }
      expect(upstream.arrived).toEqual([]);
    });

    it('bodies pass unread, whatever is in them', async () => {
      const body = Buffer.from(`\0\xff ${secret.placeholder} ${other.credential} \r\n\r\nGET / HTTP/1.1\r\n`, 'latin1');
      const answer = await useAs(gateway, user, `${secret.id}/v1/record`, { method: 'POST', body });
      expect(JSON.parse(answer.text).body).toBe(body.toString('latin1'));
    });
  });

  it('left no value or credential in an answer, the log, a metric, a span or the database', async () => {
    const metrics = await (await fetch(new URL('/metrics', gateway.url))).text();
    const detector = new LeakDetector([...values, ...words]);
    for (const text of [answers.join('\n'), gateway.log.join(''), metrics, spans.text()]) {
      expect(detector.find(text)).toEqual(new Set());
    }
    expect(detector.find(await stored(gateway))).toEqual(new Set());
    expect(detector.find([...values, ...words].join())).toEqual(new Set([...values, ...words]));
    expect(answers.length).toBeGreaterThan(2 * generated);
  });
});
