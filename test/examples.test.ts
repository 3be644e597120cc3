import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeNames, TestGateway } from './support/gateway.ts';

const folder = fileURLToPath(new URL('../examples/', import.meta.url));

/** The lines that each example prints in its first and its second run. */
const printed: Record<string, [first: (string | RegExp)[], again: (string | RegExp)[]]> = {
  'connector-secrets.ts': repeatable([
    /^created client_secret; a template refers to it as sec_[0-9a-f]{9}$/,
    'the connector has 1 in all',
    /^- sec_[0-9a-f]{9} client_secret$/,
    /^replaced: version 2, still sec_[0-9a-f]{9}$/,
    'deleted',
  ]),
  'controller-secrets.ts': repeatable([
    'declared switch in rack 7: version 1',
    'set: version 2, value corre••••le',
    '- switch in rack 7 [network, rack-7] Password of the admin user.',
    'deleted',
  ]),
  'keys-to-look-at.ts': repeatable([
    'NAME           HEALTH         LAST USED      EXPIRES        WHY',
    /^revoked {8}REJECTED {7}\d{4}-\d\d-\d\d {5}– {14}dead$/,
    'never used     –              –              –              unused',
    /^due in a week {2}VALID {10}\d{4}-\d\d-\d\d {5}\d{4}-\d\d-\d\d {5}due$/,
  ]),
  'provider-secrets.ts': [
    ['calling as developer', 'created OPENAI_API_KEY', '- OPENAI_API_KEY (openai) sk-pro••••789'],
    ['calling as developer', 'replaced OPENAI_API_KEY: version 2', '- OPENAI_API_KEY (openai) sk-pro••••789'],
  ],
  'use-secret.ts': repeatable([
    'the service was asked for /v1/hello, with the key',
    `the program read: hello, you sent Bearer ${'*'.repeat(22)}`,
    '/v2/hello: 422 UNPROCESSABLE_ENTITY, path_not_allowed',
    'deleted',
  ]),
  'workload.ts': repeatable([
    'database of the nightly import, version 1: p4ssw0rd-of-import',
    'missing: something else',
    'opened: p4ssw0rd-of-import',
    'deleted',
  ]),
};

function repeatable<T>(lines: T[]): [T[], T[]] {
  return [lines, lines];
}

it('every example is tested here', () => {
  const parts = ['connect.ts', 'documents.ts'];
  const runnable = readdirSync(folder).filter((name) => name.endsWith('.ts') && !parts.includes(name));
  expect(runnable.sort()).toEqual(Object.keys(printed).sort());
});

it.each(Object.keys(printed))('%s without a gateway prints what to do in one line', async (name) => {
  // Port 1 is reserved, and nothing listens on it.
  const env = {
    PATH: process.env.PATH,
    SECRETS_GATEWAY_URL: 'http://127.0.0.1:1/graphql',
    SECRETS_GATEWAY_TOKEN: 'any',
  };
  const failed = await promisify(execFile)(process.execPath, [`${folder}${name}`], { env }).catch((error) => error);
  expect(failed).toMatchObject({
    code: 1,
    stdout: '',
    stderr:
      'No gateway answers at http://127.0.0.1:1/graphql. Run "npm start" in another terminal, or set SECRETS_GATEWAY_URL.\n',
  });
});

describe.each(storeNames)('the examples, against a gateway on %s', (store) => {
  let gateway: TestGateway;
  let token: string;
  const scope = 'secrets:read secrets:write secrets:resolve secrets:use';

  beforeAll(async () => {
    gateway = await TestGateway.start(store);
    token = await gateway.issuer.token({ sub: 'developer', teams: ['demo'], scope });
  });
  afterAll(() => gateway.close());

  it.each(Object.entries(printed))('%s prints the expected lines, in a second run too', async (name, runs) => {
    for (const expected of runs) {
      const lines = await run(name);
      expect(lines).toHaveLength(expected.length);
      for (const [index, line] of expected.entries()) {
        if (typeof line === 'string') expect(lines[index]).toBe(line);
        else expect(lines[index]).toMatch(line);
      }
    }
  });

  it('the examples print an error with its code, its message and its request id', async () => {
    const failed = await run('connector-secrets.ts', 'not-a-token').catch((error: { stderr: string }) => error.stderr);
    expect(failed).toMatch(/GatewayError: Authentication is required\./);
    expect(failed).toMatch(/description: '.*Send a valid token/);
    expect(failed).toMatch(/code: 'UNAUTHORIZED'/);
    expect(failed).toMatch(/requestId: '[0-9a-f-]{36}'/);
  });

  async function run(name: string, withToken = token): Promise<string[]> {
    const env = { PATH: process.env.PATH, SECRETS_GATEWAY_URL: gateway.url, SECRETS_GATEWAY_TOKEN: withToken };
    const { stdout } = await promisify(execFile)(process.execPath, [`${folder}${name}`], { env });
    return stdout.trimEnd().split('\n');
  }
});
