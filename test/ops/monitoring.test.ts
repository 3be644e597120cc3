import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorTable } from '../../src/errors.ts';
import { providersFile } from '../support/fake-provider.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';
import { get } from '../support/http.ts';

const read = (name: string) => readFileSync(join(import.meta.dirname, '../../docs/monitoring', name), 'utf8');

const alerts = [...read('alerts.yml').matchAll(/^ {8}expr: (.+)$/gm)].map(([, expression = '']) => expression);
const dashboard: { panels: { title: string; targets: { expr: string }[] }[] } = JSON.parse(read('dashboard.json'));
const panels = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

const metricNames = (expression: string) => expression.match(/\b(?:secrets_gateway|process|nodejs)_[a-z0-9_]+/g) ?? [];

describe.each(storeNames)('docs/monitoring/, on %s', (store) => {
  let gateway: TestGateway;
  let text: string;
  beforeAll(async () => {
    const unreachable = { origin: 'http://127.0.0.1:9' };
    const acme = { id: 'acme', destination: unreachable, check: { path: '/me' } };
    gateway = await TestGateway.start(store, await providersFile([acme]));
    const input = { name: 'KEY', provider: 'acme', value: 'a key of acme', verify: true };
    const token = await gateway.issuer.token({ scope: 'secrets:read secrets:write secrets:use' });
    expect((await gateway.run(createSecret(), { input }, { token })).errors).toEqual([]);
    await gateway.run('{ secrets { totalCount } }');
    await gateway.run('{ viewer { subject } }', {}, { token: 'wrong' });
    await get(gateway, '/v1/use/sec_123456789/');
    ({ text } = await get(gateway, '/metrics'));
  });
  afterAll(() => gateway.close());

  it('is not empty, and has an expression for each alert', () => {
    expect(alerts.length).toBeGreaterThanOrEqual(8);
    expect(alerts).toHaveLength(read('alerts.yml').match(/^ {6}- alert: /gm)?.length ?? 0);
    expect(panels.length).toBeGreaterThanOrEqual(12);
  });

  it.each([...alerts, ...panels])('%s names metrics and labels that are at /metrics', (expression) => {
    const names = metricNames(expression);
    expect(names).not.toEqual([]);
    const known = new Set([...text.matchAll(/^([a-z0-9_]+)(?:\{|\s)/gm)].map(([, name]) => name));
    // Before the first garbage collection its histogram has no series.
    for (const [, name] of text.matchAll(/^# TYPE (\S+) histogram/gm))
      for (const end of ['sum', 'count', 'bucket']) known.add(`${name}_${end}`);
    for (const name of names) expect([...known]).toContain(name);
    const labels = [...expression.matchAll(/\bby \(([^)]+)\)|\b([a-z_]+)[!=]~?"/g)]
      .flatMap(([, by = '', matcher = '']) => [...by.split(', '), matcher])
      .filter((label) => label !== '' && !['instance', 'job', '__name__'].includes(label));
    for (const label of labels) expect(text).toMatch(new RegExp(`\\b${label}="`));
  });

  it('names only codes that exist', () => {
    const codes = [...alerts, ...panels].flatMap((expression) => expression.match(/\b[A-Z]{2,}(?:_[A-Z]+)*\b/g) ?? []);
    expect(codes).toContain('INTERNAL_SERVER_ERROR');
    for (const code of codes) expect([...Object.keys(errorTable), 'OK']).toContain(code);
  });

  it('shows the state of each check, and which version runs', () => {
    expect(text).toContain('secrets_gateway_check_passed{check="store"} 1');
    expect(text).toContain('secrets_gateway_check_passed{check="keyring"} 1');
    expect(text).toMatch(/secrets_gateway_build_info\{version="\d+\.\d+\.\d+",node="26\./);
  });
});
