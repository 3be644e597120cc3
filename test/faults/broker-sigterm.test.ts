import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { CommandLine, type RunningGateway } from '../support/command-line.ts';
import { createSecret } from '../support/graphql.ts';
import { Issuer } from '../support/issuer.ts';
import { Upstream } from '../support/upstream.ts';

let shell: CommandLine;
let issuer: Issuer;
let upstream: Upstream;
let gateway: RunningGateway;
let useUrl: string;
let authorization: string;

beforeAll(async () => {
  [shell, issuer, upstream] = await Promise.all([CommandLine.open(), Issuer.start(), Upstream.start()]);
  authorization = `Bearer ${await issuer.token({ scope: 'secrets:read secrets:write secrets:use' })}`;
});
afterEach(async () => {
  await gateway.stop('SIGKILL');
});
afterAll(async () => {
  await shell.close();
  await issuer.close();
  await upstream.close();
});

async function start(name: string): Promise<void> {
  gateway = await shell.serve({
    ...issuer.settings,
  });
  const input = { name, provider: 'custom', value: 'a value of some length', destination: { origin: upstream.origin } };
  const { data } = await gateway.run(createSecret('useUrl'), { input }, authorization.slice('Bearer '.length));
  useUrl = data.createSecret.secret.useUrl;
}

async function openStream(): Promise<{ response: IncomingMessage; whole: Promise<string> }> {
  const sent = request(`${useUrl}/events`, { agent: false, headers: { authorization } });
  sent.on('error', () => {});
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const read = async () => {
    let text = '';
    try {
      for await (const piece of response.setEncoding('utf8')) text += piece;
    } catch {
      return `${text}(cut off)`;
    }
    return text;
  };
  return { response, whole: read() };
}

it('SIGTERM lets streams go on until they end, refuses new requests, and ends with 0 as soon as the last has ended', async () => {
  await start('ENDS');
  const stream = await openStream();
  await upstream.streaming(1);
  const ended = gateway.stop('SIGTERM');
  // Refused at once, or as soon as the signal has been read.
  await expect
    .poll(async () => {
      const answer = await fetch(`${useUrl}/ok`, { headers: { authorization, connection: 'close' } }).catch(() => null);
      return answer?.headers.get('secrets-gateway-error') ?? answer;
    })
    .toBe('SERVICE_UNAVAILABLE');
  upstream.send('data: still there\n\n');
  for (const one of upstream.streams) one.end();
  expect(await stream.whole).toBe('data: still there\n\n');
  expect((await ended).code).toBe(0);
});

it('a stream that does not end is cut off after 10 s, and the gateway ends', { timeout: 30_000 }, async () => {
  await start('NEVER_ENDS');
  const stream = await openStream();
  await upstream.streaming(1);
  const { closed } = upstream.last;
  upstream.send('data: to be cut\n\n');
  const ended = gateway.stop('SIGTERM');
  expect(await stream.whole).toBe('data: to be cut\n\n(cut off)');
  expect((await ended).code).toBe(0);
  await closed;
});
