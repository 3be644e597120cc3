import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awkwardValues } from '../support/awkward-values.ts';
import { bundle } from '../support/bundle.ts';
import { TestGateway } from '../support/gateway.ts';
import { LeakDetector } from '../support/leak-detector.ts';
import { LoggingProxy } from '../support/logging-proxy.ts';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
// In CI a missing browser is a failure.
const skipped = !existsSync(executablePath) && !process.env.CI;
if (skipped) console.warn('\nNO CHROMIUM: the page that seals is SKIPPED in this run. Set CHROMIUM_PATH to one.\n');

const random = () => randomBytes(24).toString('hex');

describe.skipIf(skipped)('a page that seals, in a real browser behind proxies that keep all they see', () => {
  let gateway: TestGateway;
  /** Between the browser and the example’s own server, and between that and the gateway. */
  let front: LoggingProxy;
  let behind: LoggingProxy;
  let example: Example;
  /** What Chromium keeps on disk. */
  let profile: string;
  let context: BrowserContext;
  let page: Page;
  let token: string;
  /** Errors and warnings of the page: exceptions, its console, violations of its security policy. */
  const complaints: string[] = [];
  /** Everything that was typed as a value. */
  const typed: string[] = [];

  beforeAll(async () => {
    // As beyond loopback: a value in clear would be refused.
    gateway = await TestGateway.start('sqlite', { REQUIRE_TLS: 'on', TRUST_PROXY: 'on', RATE_LIMIT: 'off' });
    behind = await LoggingProxy.start(gateway.url);
    behind.addedHeaders['x-forwarded-proto'] = 'http';
    example = await Example.start(behind.url);
    front = await LoggingProxy.start(example.url);
    token = await gateway.issuer.token();
    profile = await mkdtemp(join(tmpdir(), 'secrets-gateway-profile-'));
    context = await chromium.launchPersistentContext(profile, {
      executablePath,
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
    });
    page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await page.goto(front.url);
  });
  afterAll(async () => {
    await context?.close();
    await example?.stop();
    for (const proxy of [front, behind]) await proxy?.close();
    await gateway?.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 3 });
  });

  /** Fills the form in as a user finds its fields, and sends it. @returns what the page says then */
  async function send(fields: { name: string; value: string; curve: string; token?: string }): Promise<string> {
    typed.push(fields.value);
    await page.getByLabel('Token').fill(fields.token ?? token);
    await page.getByLabel('Name').fill(fields.name);
    await page.getByLabel('Provider').fill('openai');
    await page.getByLabel('Value', { exact: true }).fill(fields.value);
    await page.getByLabel('Key of the gateway').selectOption(fields.curve);
    await page.getByRole('button', { name: 'Seal and send' }).click();
    return (await page.locator('output:not(:empty), [role=alert]:not(:empty)').first().textContent()) ?? '';
  }

  async function storedValue(name: string): Promise<string> {
    const query = 'query ($name: String!) { secrets(filter: { name: $name }) { nodes { id } } }';
    const { data } = await gateway.run(query, { name });
    return (await gateway.openValue(data.secrets.nodes[0].id)).value;
  }

  it('starts as its page says', async () => {
    const readme = await readFile(join(import.meta.dirname, '../../examples/browser/README.md'), 'utf8');
    const [, shown = ''] = /^\$ npm run --silent example:browser\n([^`]+)\n```$/m.exec(readme) ?? [];
    const withoutPorts = (text: string) => text.replaceAll(/:\d+\//g, ':port/');
    expect(withoutPorts(example.printed())).toBe(withoutPorts(`${shown}\n`));
  });

  it.each(['X25519', 'P-256'])('creates a secret, and gives it another value, with a key on %s', async (curve) => {
    const name = `KEY_${curve.replace('-', '')}`;
    for (const [version, value] of [
      [1, `sk-proj-${random()}`],
      [2, `-----BEGIN KEY-----\n${random()}\n é 🔑 "\\\n-----END KEY-----\n`],
    ] as const) {
      expect(await send({ name, value, curve })).toMatch(
        new RegExp(`^${name} is kept as version ${version}, and shown as .*••••`),
      );
      expect(await storedValue(name)).toBe(value);
      const header = JSON.parse((await page.locator('#header').textContent()) ?? '');
      expect(header).toMatchObject({ typ: 'sealed-secret+jwe', sub: 'ada', epk: { crv: curve } });
      expect(version === 1 ? header.name : header.id).toBeTruthy();
    }
  });

  it('says what is wrong, with what to do', async () => {
    const value = random();
    expect(await send({ name: 'no name', value, curve: 'X25519' })).toMatch(/^Validation failed .*\nFix .*\nname: /s);
    expect(await send({ name: 'A', value, curve: 'X25519', token: 'a.b.c' })).toMatch(/^Authentication is required\./);
  });

  it('has forgotten the value after it was sealed', async () => {
    await send({ name: 'FORGOTTEN', value: random(), curve: 'X25519' });
    expect(await page.getByLabel('Value', { exact: true }).inputValue()).toBe('');
    expect(new LeakDetector(typed).find(await page.content())).toEqual(new Set());
  });

  it('shows no value to what is in between: request lines, headers, bodies, answers', () => {
    const detector = new LeakDetector(typed);
    expect(typed.length).toBeGreaterThan(6);
    expect(detector.find(front.record())).toEqual(new Set());
    expect(detector.find(behind.record())).toEqual(new Set());
    expect(detector.find(example.printed())).toEqual(new Set());
    expect(detector.find(gateway.log.join(''))).toEqual(new Set());
  });

  it('would be caught: all of them see a value in clear, and the gateway refuses it', async () => {
    const value = random();
    const body = JSON.stringify({
      query: 'mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id } } }',
      variables: { input: { name: 'CLEAR', provider: 'p', value } },
    });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const init = JSON.stringify({ method: 'POST', headers, body });
    expect(await page.evaluate(`fetch('/graphql', ${init}).then((answer) => answer.text())`)).toContain(
      'UPGRADE_REQUIRED',
    );
    const detector = new LeakDetector([value]);
    for (const seen of [front.record(), behind.record(), example.printed()]) {
      expect(detector.find(seen)).toEqual(new Set([value]));
    }
    expect(detector.find(gateway.log.join(''))).toEqual(new Set());
  });

  it('seals and opens every awkward value unchanged, with keys of either curve', async () => {
    const { code } = await bundle(roundTrip, join(import.meta.dirname, '../../src/client'));
    await page.route('**/round-trip.js', (route) => route.fulfill({ contentType: 'text/javascript', body: code }));
    const resolver = await gateway.issuer.token({ scope: 'secrets:read secrets:write secrets:resolve' });
    const given = [resolver, awkwardValues].map((one) => JSON.stringify(one)).join();
    const changed = await page.evaluate(`import('/round-trip.js').then(({ roundTrip }) => roundTrip(${given}))`);
    expect(changed).toEqual([]);
  });

  it('keeps to its own security policy', () => {
    // Chromium itself reports the two answers that were refused.
    expect(complaints.filter((text) => !/status of (401|422)/.test(text))).toEqual([]);
  });

  it('leaves no value in the browser’s storage, nor in its profile on disk', async () => {
    const planted = random();
    await page.evaluate(`localStorage.setItem('planted', ${JSON.stringify(planted)})`);
    const detector = new LeakDetector([...typed, planted]);
    const storage = await context.storageState({ indexedDB: true });
    const session = await page.evaluate('JSON.stringify([{ ...sessionStorage }, history.state, location.href])');
    expect(detector.find(JSON.stringify([storage, session]))).toEqual(new Set([planted]));
    await context.close();
    const found = new Set<string>();
    for (const entry of await readdir(profile, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      for (const marker of detector.find(await readFile(join(entry.parentPath, entry.name)))) found.add(marker);
    }
    expect(found).toEqual(new Set([planted]));
  });
});

/** In the page: seals each value to a key of either curve, and has it delivered to a key of either curve. */
const roundTrip = `
  import { createClient, createRecipient, openDelivery, sealValue } from './index.ts';
  const pairs = {
    X25519: createRecipient,
    async 'P-256'() {
      const algorithm = { name: 'ECDH', namedCurve: 'P-256' };
      const { publicKey, privateKey } = await crypto.subtle.generateKey(algorithm, false, ['deriveBits']);
      const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey);
      return { publicJwk: { kty, crv, x, y }, privateKey };
    },
  };
  const document =
    'mutation ($input: ResolveSecretsInput!) { resolveSecrets(input: $input) { deliveries { jwe secret { name } } } }';
  export async function roundTrip(token, values) {
    const client = createClient({ url: '/graphql', token });
    const changed = [];
    for (const sealingKey of await client.sealingKeys()) {
      const { crv } = sealingKey.jwk;
      const names = values.map((_, index) => 'V_' + crv.replace('-', '') + '_' + index);
      await Promise.all(names.map(async (name, index) => {
        const sealedValue = await sealValue(values[index], { sealingKey, subject: 'ada', name });
        await client.createSecret({ name, provider: 'custom', sealedValue });
      }));
      const { publicJwk, privateKey } = await pairs[crv]();
      const { resolveSecrets } = await client.request(document, { input: { names, recipient: publicJwk } });
      if (resolveSecrets.deliveries.length !== values.length) changed.push(crv + ': not all were delivered');
      for (const { jwe, secret } of resolveSecrets.deliveries) {
        const { value } = await openDelivery(jwe, privateKey);
        if (value !== values[names.indexOf(secret.name)]) changed.push(secret.name);
      }
    }
    return changed;
  }`;

/** `npm run example:browser` */
class Example {
  url = '';
  readonly #child: ChildProcess;
  #printed = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(gateway: string): Promise<Example> {
    const script = join(import.meta.dirname, '../../examples/browser/serve.ts');
    const child = spawn(process.execPath, [script], {
      env: { PATH: process.env.PATH, PORT: '0', SECRETS_GATEWAY_URL: gateway },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const example = new Example(child);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      example.#printed += text;
    });
    while (example.url === '') {
      const [text] = await Promise.race([
        once(child.stdout as NodeJS.ReadableStream, 'data'),
        once(child, 'exit').then(() => Promise.reject(new Error('The example ended.'))),
      ]);
      example.url = /http:\S+/.exec(text)?.[0] ?? '';
    }
    return example;
  }

  printed(): string {
    return this.#printed;
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill();
    await gone;
  }
}
