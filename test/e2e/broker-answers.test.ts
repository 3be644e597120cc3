import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  newUsable,
  newUser,
  refusedBy,
  type Usable,
  type UseAnswer,
  type UseOptions,
  type User,
  useAs,
  userKinds,
  useSecret,
} from '../support/broker.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { LeakDetector } from '../support/leak-detector.ts';
import { stored } from '../support/stored.ts';
import { ToldSpans } from '../support/told-spans.ts';
import { Upstream } from '../support/upstream.ts';
import { formsOf, kept } from '../support/upstream-answers.ts';

/** The text, and the text with its entities of HTML read, which no decoder of the detector does. */
function readable(text: string): string {
  const names: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  const read = text
    .replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replaceAll(/&#x([\da-f]+);/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
    .replaceAll(/&(amp|lt|gt|quot|apos);/g, (_, name) => names[name] ?? '');
  return `${text}\n${read}`;
}

describe.each(storeNames)('answers through the broker on %s', (store) => {
  let gateway: TestGateway;
  let upstream: Upstream;
  let elsewhere: Upstream;
  const spans = new ToldSpans();
  const values: string[] = [];
  const credentials: string[] = [];
  const answers: string[] = [];

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off', BROKER_TIMEOUT: '1s', LOG_LEVEL: 'trace' });
    [upstream, elsewhere] = await Promise.all([Upstream.start(), Upstream.start()]);
  });
  afterAll(async () => {
    spans.stop();
    await gateway.close();
    await Promise.all([upstream.close(), elsewhere.close()]);
  });

  describe.each(userKinds)('used with %s', (kind) => {
    let user: User;
    let secret: Usable;
    beforeAll(async () => {
      user = await newUser(gateway, kind);
      secret = await newUsable(gateway, user, upstream);
      values.push(secret.value);
      credentials.push(user.credential);
    });

    /** Uses the secret, and keeps what came for the search. */
    async function ask(path: string, options: UseOptions = {}): Promise<UseAnswer> {
      const answer = await useAs(gateway, user, `${secret.id}/${path}`, options);
      answers.push(answer.seen);
      return answer;
    }
    /** An answer whose body is read as it comes. */
    const open = (path: string, signal?: AbortSignal) =>
      fetch(`${secret.useUrl}/${path}`, {
        headers: { authorization: `Bearer ${user.credential}` },
        signal: signal ?? null,
      });
    const detector = () => new LeakDetector([secret.value]);
    /** The lines in which the value can be found. */
    const leaksOf = (text: string) => text.split('\n').filter((line) => detector().find(readable(line)).size > 0);

    it('have no form of the value in the body or in a header, and as many stars in its place', async () => {
      const answer = await ask('echo');
      expect([answer.status, refusedBy(answer)]).toEqual([200, null]);
      expect(leaksOf(answer.seen)).toEqual([]);
      const stars = '*'.repeat(secret.value.length);
      expect(answer.text).toContain(`raw: ${stars}\n`);
      expect(answer.headers['x-echo-0']).toBe(stars);
      expect(answer.text).toContain(`Bearer ${stars}`);
      for (const form of Object.keys(formsOf(''))) expect(answer.text).toMatch(new RegExp(`^${form}: .*\\*{40}`, 'm'));
    });

    it('would show each form without the broker: the search finds all of them', async () => {
      for (const [form, text] of Object.entries(formsOf(secret.value))) {
        expect([form, [...detector().find(readable(`x ${text} y`))]]).toEqual([form, [secret.value]]);
      }
    });

    it('have no form of the value where every byte comes in a chunk of its own', async () => {
      const answer = await ask('bytes');
      expect([answer.isCut, refusedBy(answer)]).toEqual([false, null]);
      expect(leaksOf(answer.seen)).toEqual([]);
      expect(answer.text).toContain(`raw: ${'*'.repeat(secret.value.length)}\n`);
    });

    it.each(['gzip', 'deflate', 'raw-deflate', 'br', 'zstd', 'gzip,gzip', 'gzip,br'])(
      'are decompressed, or refused, where the upstream compresses by %s although nobody asked',
      async (by) => {
        const answer = await ask(`compressed?by=${by}`);
        const code = refusedBy(answer);
        if (code === null && !answer.isCut) {
          expect(answer.headers['content-encoding']).toBeUndefined();
          expect(answer.text).toContain('base64 at the first offset');
          expect(leaksOf(answer.seen)).toEqual([]);
        } else if (code !== null) expect([by, code]).toEqual([by, 'BAD_GATEWAY']);
        if (['gzip', 'deflate', 'br'].includes(by)) expect([code, answer.isCut]).toEqual([null, false]);
      },
    );

    it('are refused where nobody can tell how they are encoded', async () => {
      for (const as of ['rot13', 'gzip;q=1', 'identity, unknown']) {
        const answer = await ask(`compressed?by=&as=${encodeURIComponent(as)}`);
        expect([as, refusedBy(answer)]).toEqual([as, 'BAD_GATEWAY']);
      }
      const broken = await ask('compressed?by=&as=gzip');
      expect(broken.isCut || refusedBy(broken) === 'BAD_GATEWAY').toBe(true);
      expect(leaksOf(broken.seen)).toEqual([]);
    });

    it('have none of the headers that an upstream may not set here', async () => {
      const answer = await ask('cookies');
      const names = answer.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
      const came = [...kept, 'X-Hop'].filter((name) => names.includes(name.toLowerCase()));
      // Those of this connection are the gateway's own.
      expect(came.filter((name) => name !== 'Keep-Alive')).toEqual([]);
      expect(answer.seen).not.toContain('of the upstream');
      expect(answer.headers['x-passes']).toBe('passes');
      expect(answer.text).toBe('with cookies');
      expect(refusedBy(answer)).toBeNull();
    });

    it('are passed where they redirect, and nobody goes there', async () => {
      for (const is of [301, 302, 303, 307, 308]) {
        const to = `${elsewhere.origin}/echo`;
        const answer = await ask(`redirect?is=${is}&to=${encodeURIComponent(to)}`);
        expect([answer.status, answer.headers.location, answer.text]).toEqual([is, to, 'over there']);
      }
      expect([elsewhere.connections, elsewhere.arrived]).toEqual([0, []]);
    });

    it('lead to the upstream through the broker, so that a client that follows keeps its credential here', async () => {
      const to = encodeURIComponent(`${upstream.origin}/echo?page=2`);
      const { headers } = await ask(`redirect?is=307&to=${to}`);
      expect(headers.location).toBe(`${secret.useUrl}/echo?page=2`);
      for (const own of [gateway.url, gateway.url.replace('127.0.0.1', 'localhost')]) {
        const toGateway = encodeURIComponent(new URL('/graphql', own).href);
        const answer = await ask(`redirect?is=307&to=${toGateway}`, { headers: { host: new URL(own).host } });
        expect(answer.headers.location, own).toBe(`${secret.useUrl}/graphql`);
      }
    });

    it('that do not begin in time are GATEWAY_TIMEOUT, and those that stop are cut off', async () => {
      const [never, stalled] = await Promise.all([ask('never'), ask('stall')]);
      expect([refusedBy(never), never.status]).toEqual(['GATEWAY_TIMEOUT', 504]);
      expect([stalled.status, stalled.isCut, stalled.text]).toEqual([200, true, 'so far']);
    });

    it('that are no HTTP, or a reset before the first byte, are BAD_GATEWAY', async () => {
      for (const path of [
        'reset-first',
        `raw?bytes=${encodeURIComponent('no HTTP at all\r\n\r\n')}`,
        `raw?bytes=${encodeURIComponent('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello')}`,
        `raw?bytes=${encodeURIComponent('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')}`,
        `raw?bytes=${encodeURIComponent('HTTP/1.1 200 OK\r\nX: \0\r\n\r\n')}`,
        'raw?bytes=',
        'switching',
        'flood?lines=20000',
      ]) {
        const answer = await ask(path);
        expect([path, refusedBy(answer), answer.status]).toEqual([path, 'BAD_GATEWAY', 502]);
      }
    });

    it('are cut off where they are reset or shorter than they said, never taken as whole', async () => {
      const short = await ask('short');
      expect([short.status, short.isCut]).toEqual([200, true]);
      expect(leaksOf(short.seen)).toEqual([]);
      const reader = (await open('events')).body?.getReader();
      await upstream.streaming(1);
      upstream.send('data: before the reset');
      await reader?.read();
      upstream.reset();
      await expect(reader?.read()).rejects.toThrow();
    });

    it('have nothing of what comes after their length, nor does the next answer', async () => {
      const long = await ask('long');
      expect(refusedBy(long) ?? long.text).toMatch(/^(?:four|BAD_GATEWAY)$/);
      for (let next = 0; next < 3; next += 1) {
        const answer = await ask('ok');
        expect([answer.text, answer.headers['x-smuggled']]).toEqual(['fine', undefined]);
      }
    });

    it('have neither interim answers nor trailers of the upstream', async () => {
      expect((await ask('informed')).text).toBe('after the hints');
      const answer = await ask('trailers');
      expect(answer.text).toBe('body');
      expect(answer.seen).not.toMatch(/set-cookie|a=b/i);
      expect(leaksOf(answer.seen)).toEqual([]);
    });

    it('of no end come as they are sent, and end at the upstream when the client leaves', async () => {
      const response = await open('endless');
      const reader = response.body?.getReader();
      for (let bytes = 0; bytes < 1_000_000; ) bytes += (await reader?.read())?.value?.length ?? Number.NaN;
      const { closed } = upstream.last;
      await reader?.cancel();
      await closed;
    });

    it('that are streams of events come event by event, with the value taken out', async () => {
      const abort = new AbortController();
      const response = await open('events', abort.signal);
      const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      const longest = Math.max(...Object.values(formsOf(secret.value)).map((form) => form.length));
      await upstream.streaming(1);
      for (let event = 0; event < 5; event += 1) {
        // What is held back is shorter than the longest form of the value.
        const sent = `data: ${event} ${secret.value} ${'.'.repeat(longest)}\n\n`;
        upstream.send(sent);
        while (!text.includes(`data: ${event} ${'*'.repeat(secret.value.length)}`)) {
          const { value, done } = await reader.read();
          if (done) throw new Error(`the stream ended after: ${text}`);
          text += value;
        }
      }
      answers.push(text);
      expect(leaksOf(text)).toEqual([]);
      const { closed } = upstream.last;
      abort.abort();
      await closed;
    });

    it('that inflate a thousandfold stream at the pace of the client', async () => {
      const response = await open('bomb');
      const reader = response.body?.getReader();
      expect((await reader?.read())?.value?.length).toBeGreaterThan(0);
      await reader?.cancel();
    });

    it('are BAD_GATEWAY where nothing listens, and the address is not told', async () => {
      const gone = await Upstream.start();
      const nobody = await newUsable(gateway, user, gone);
      values.push(nobody.value);
      const { port } = gone;
      await gone.close();
      const answer = await useSecret(gateway, `${nobody.id}/ok`, {
        headers: { authorization: `Bearer ${user.credential}` },
      });
      answers.push(answer.seen);
      expect([refusedBy(answer), answer.status]).toEqual(['BAD_GATEWAY', 502]);
      expect(answer.text).not.toMatch(new RegExp(`127\\.0\\.0\\.1|${port}|ECONNREFUSED`));
    });
  });

  it('left no value or credential in an answer, the log, a metric, a span or the database', async () => {
    const metrics = await (await fetch(new URL('/metrics', gateway.url))).text();
    const detector = new LeakDetector([...values, ...credentials]);
    for (const text of [answers.join('\n'), gateway.log.join(''), metrics, spans.text()]) {
      expect(detector.find(readable(text))).toEqual(new Set());
    }
    expect(detector.find(await stored(gateway))).toEqual(new Set());
  });

  it('the search would have found them, and read what was written', async () => {
    const all = [...values, ...credentials];
    expect(new LeakDetector(all).find(upstream.arrived.map(({ head }) => head).join())).toEqual(
      new Set(values.filter((value) => upstream.arrived.some(({ head }) => head.includes(value)))),
    );
    expect(values.some((value) => upstream.arrived.some(({ head }) => head.includes(value)))).toBe(true);
    expect(new LeakDetector(all).find(all.join('\n'))).toEqual(new Set(all));
    expect([gateway.log.length > 0, spans.text().length > 100]).toEqual([true, true]);
    expect(answers.length).toBeGreaterThan(60);
  });
});
