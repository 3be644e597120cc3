import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startSecretsGateway } from '../federation/support/secrets-gateway.ts';
import { LeakDetector } from '../support/leak-detector.ts';
import { type Arrived, FakeProviders, keyHeaders, type ProviderName, providerNames } from './support/fake-providers.ts';
import { type Ran, runExample } from './support/run-example.ts';

const examples = join(import.meta.dirname, '../../examples/sdks');
const names: Record<ProviderName, string> = {
  openai: 'OPENAI_API_KEY',
  anthropic: 'ANTHROPIC_API_KEY',
  github: 'GITHUB_TOKEN',
  stripe: 'STRIPE_SECRET_KEY',
};
const newKeys = (): Record<ProviderName, string> => ({
  openai: `sk-proj-${randomBytes(24).toString('base64url')}`,
  anthropic: `sk-ant-api03-${randomBytes(24).toString('base64url')}`,
  github: `ghp_${randomBytes(18).toString('hex')}`,
  stripe: `sk_test_${randomBytes(18).toString('hex')}`,
});

/** What an example prints, with the key that its provider tells in place of KEY, and what it asks for. */
interface Expected {
  readonly lines: readonly string[];
  readonly asks: Partial<Record<ProviderName, readonly string[]>>;
}

const ofSdks: Record<string, Expected> = {
  'openai.ts': {
    lines: ['Hello. Your key is KEY(openai).', 'one, two, KEY(openai), three'],
    asks: { openai: ['POST /v1/responses', 'POST /v1/responses'] },
  },
  'anthropic.ts': {
    lines: ['Hello. Your key is KEY(anthropic).', 'one, two, KEY(anthropic), three'],
    asks: { anthropic: ['POST /v1/messages', 'POST /v1/messages'] },
  },
  'github.ts': {
    lines: ["the key is ada's", '3 open issues', 'one, two, KEY(github)'],
    asks: {
      github: [
        'GET /user',
        'GET /repos/octokit/rest.js/issues?per_page=100',
        'GET /repos/octokit/rest.js/issues?per_page=100&page=2',
        'GET /repos/octokit/rest.js/issues?per_page=100&page=3',
        'GET /repos/octokit/rest.js/contents/src/index.ts',
      ],
    },
  },
  'stripe.ts': {
    lines: [
      'created Ada Lovelace KEY(stripe)',
      ...[1, 2, 3, 4].map((number) => `- Ada ${number} KEY(stripe)`),
      'deleted',
    ],
    asks: {
      stripe: [
        'POST /v1/customers',
        'GET /v1/customers?email=ada%40example.com&limit=2',
        'GET /v1/customers?email=ada%40example.com&limit=2&starting_after=cus_2',
        'DELETE /v1/customers/cus_1',
      ],
    },
  },
};

const ofAgent: Expected = {
  lines: [
    'calls list_issues: octokit/rest.js',
    'calls find_customers: ada@example.com',
    'calls list_issues: ../../00000000-0000-4000-8000-000000000000',
    `I know: 200 [{"number":1,"title":"written with KEY(github)","user":{"email":"ada@example.com"}}] | ` +
      '200 {"object":"list","url":"/v1/customers","data":[{"id":"cus_1","object":"customer","name":"Ada 1","email":"KEY(stripe)"},' +
      '{"id":"cus_2","object":"customer","name":"Ada 2","email":"KEY(stripe)"}],"has_more":true}' +
      ' | The argument cannot be used. and KEY(openai)',
  ],
  asks: {
    openai: Array(4).fill('POST /v1/chat/completions'),
    github: ['GET /repos/octokit/rest.js/issues'],
    stripe: ['GET /v1/customers?email=ada%40example.com'],
  },
};

it('every example is tested here', () => {
  const runnable = readdirSync(examples).filter((name) => name.endsWith('.ts') && name !== 'use-url.ts');
  expect(runnable.sort()).toEqual([...Object.keys(ofSdks), 'agent.ts'].sort());
});

it('docs/sdks.md shows parts of the examples', () => {
  const page = readFileSync(join(examples, '../../docs/sdks.md'), 'utf8');
  const sources = Object.keys(ofSdks).map((name) => readFileSync(join(examples, name), 'utf8'));
  const shown = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text = '']) => text);
  expect(shown.length).toBeGreaterThan(1);
  for (const text of shown) expect(sources.filter((source) => source.includes(text))).toHaveLength(1);
});

let directory: string;
let providers: FakeProviders;
let gateway: Awaited<ReturnType<typeof startSecretsGateway>>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sdks-'));
  providers = await FakeProviders.start();
  const rows = providerNames.map((id) => {
    const [header, scheme] = keyHeaders[id];
    return { id, destination: { origin: providers.origin(id), header, format: `${scheme}{value}` } };
  });
  const file = join(directory, 'providers.json');
  await writeFile(file, JSON.stringify({ providers: rows }));
  gateway = await startSecretsGateway({ BROKER_PROVIDERS_FILE: file });
});
afterAll(async () => {
  await gateway?.close();
  providers?.close();
  await rm(directory, { recursive: true });
});

async function ask(token: string, query: string, input: object) {
  const response = await fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables: { input } }),
  });
  const { data, errors } = await response.json();
  expect(errors).toBeUndefined();
  return data;
}

const create = 'mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { useUrl } } }';
const createKey = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }';
const mayUse = 'secrets:read secrets:use';

describe.each(['a JWT', 'an API key'])('with a base URL and %s alone', (kind) => {
  const keys = newKeys();
  const values = Object.values(keys);
  const detector = new LeakDetector(values);
  let credential: string;

  beforeAll(async () => {
    const claims = { teams: [{ id: 'red', role: 'admin' }], scope: `${mayUse} secrets:write keys:manage` };
    const admin = await gateway.issuer.token(claims);
    const owner = kind === 'a JWT' ? {} : { teamId: 'red' };
    for (const provider of providerNames) {
      await ask(admin, create, { owner, provider, name: names[provider], value: keys[provider] });
    }
    const key = { teamId: 'red', name: 'sdks', scopes: mayUse.split(' ') };
    credential =
      kind === 'a JWT'
        ? await gateway.issuer.token({ scope: mayUse })
        : (await ask(admin, createKey, key)).createApiKey.key;
  });
  beforeEach(() => providers.forget());

  function run(name: string, env: Record<string, string> = {}, preload?: string): Promise<Ran> {
    return runExample(name, {
      env: { SECRETS_GATEWAY_URL: gateway.url, SECRETS_GATEWAY_TOKEN: credential, ...env },
      ...(preload !== undefined && { preload }),
      onOutput: (stdout) => stdout.includes('one, ') && providers.firstWordsWereSeen(),
    });
  }

  /** Of the header that the provider takes its key from, in whatever case its name is. */
  function expectKeyThereAlone(provider: ProviderName, { method, target, rawHeaders, body }: Arrived): void {
    const [header, scheme] = keyHeaders[provider];
    const others: string[] = [];
    const sent: string[] = [];
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
      if (name.toLowerCase() === header) sent.push(value);
      else others.push(`${name}: ${value}`);
    }
    expect(sent).toEqual([scheme + keys[provider]]);
    const rest = [method, target, ...others, body].join('\n');
    // A later question to a model has what the tools answered.
    expect(new LeakDetector([credential, ...values]).find(rest)).toEqual(new Set());
  }

  function expectToHaveWorked({ code, stdout, stderr }: Ran, { lines, asks }: Expected): void {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const stars = (_: string, provider: string) => '*'.repeat(keys[provider as ProviderName].length);
    expect(stdout.trimEnd().split('\n')).toEqual(lines.map((line) => line.replaceAll(/KEY\((\w+)\)/g, stars)));
    expect(detector.find(stdout + stderr)).toEqual(new Set());
    for (const provider of providerNames) {
      const arrived = providers.arrived[provider];
      expect(arrived.map(({ method, target }) => `${method} ${target}`)).toEqual(asks[provider] ?? []);
      for (const one of arrived) expectKeyThereAlone(provider, one);
    }
  }

  it.each(Object.entries(ofSdks))(
    '%s works, and its provider gets the key once where it belongs',
    async (name, does) => {
      expectToHaveWorked(await run(name), does);
    },
  );

  it('an agent works, with no key in its environment, its strings in memory, its prompts or its transcript', async () => {
    const file = join(directory, `memory-${kind.at(-1)}`);
    const preload = join(import.meta.dirname, 'support/tell-memory.ts');
    const ran = await run('agent.ts', { MEMORY_FILE: file }, preload);
    expectToHaveWorked(ran, ofAgent);
    const [environment, heap] = await Promise.all([readFile(file, 'latin1'), readFile(`${file}.heap`, 'latin1')]);
    const prompts = providers.arrived.openai.map(({ body }) => body).join('\n');
    const spelled = values.flatMap(spellings);
    for (const text of [environment, prompts, ran.stdout, ran.stderr]) expect(detector.find(text)).toEqual(new Set());
    expect(spelled.filter((spelling) => heap.includes(spelling))).toEqual([]);

    // The same search finds what is there: the gateway's credential, and values where they are put.
    const ofCredential = new LeakDetector([credential]);
    expect(ofCredential.find(environment).size).toBe(1);
    expect(heap).toContain(credential);
    expect(heap).toContain('I know: 200 ');
    for (const value of values) {
      for (const spelling of spellings(value)) {
        expect([spelling, ...detector.find(`${prompts} ${spelling}`)]).toEqual([spelling, value]);
      }
    }
  });
});

it.each(Object.keys(ofSdks))('%s is told that the gateway refuses, and takes it for no answer', async (name) => {
  const token = await gateway.issuer.token({ scope: 'secrets:read' });
  providers.forget();
  const env = { SECRETS_GATEWAY_URL: gateway.url, SECRETS_GATEWAY_TOKEN: token };
  const { code, stdout, stderr } = await runExample(name, { env, onOutput: () => {} });
  expect([code, stdout]).toEqual([1, '']);
  // Octokit reads no body of another media type than JSON's.
  expect(stderr).toContain(
    name === 'github.ts' ? "'secrets-gateway-error': 'PERMISSION_ERROR'" : 'needs the scope secrets:use',
  );
  expect(Object.values(providers.arrived).flat()).toEqual([]);
});

function spellings(value: string): string[] {
  const bytes = Buffer.from(value);
  const base64 = [0, 1, 2].map((before) => {
    // From where the letters depend on the value alone.
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return text.slice(before === 0 ? 0 : before + 1, -4);
  });
  const url = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  return [value, bytes.toString('hex'), ...base64, url];
}
