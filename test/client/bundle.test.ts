import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Bundle, bundle } from '../support/bundle.ts';

const folder = join(import.meta.dirname, '../../src/client');
const bundleOf = (source: string) => bundle(source.replace('secrets-gateway/client', './index.ts'), folder);

const functions = 'sealValue, chooseSealingKey, createRecipient, openDelivery, GatewayError, isGatewayError';

it('the client takes at most 25 kB of a page, gzipped, and needs jose and eventsource-parser alone', async () => {
  const whole = await bundleOf("export * from 'secrets-gateway/client';");
  expectBrowserOnly(whole);
  expect(whole.gzippedBytes).toBeLessThanOrEqual(25_000);
  expect(packagesOf(whole)).toEqual(['eventsource-parser', 'jose']);
});

it.each([
  [functions, 15_000],
  ['sealValue', 10_000],
  ['createRecipient, openDelivery', 15_000],
  ['isGatewayError', 1_000],
])('import { %s } brings nothing else: at most %i bytes', async (names, bytes) => {
  const part = await bundleOf(`export { ${names} } from 'secrets-gateway/client';`);
  expectBrowserOnly(part);
  expect(part.gzippedBytes).toBeLessThanOrEqual(bytes);
  expect(part.code).not.toContain('query Viewer');
});

function expectBrowserOnly({ code, imports, modules }: Bundle): void {
  expect(imports).toEqual([]);
  expect(modules.filter((id) => /node:|@graphql|graphql\//.test(id))).toEqual([]);
  expect(code).not.toMatch(/\bnode:|\brequire\(|\bprocess\.|\bBuffer\b/);
}

/** Whose modules are in it, besides the client's. */
function packagesOf({ modules }: Bundle): string[] {
  const names = modules.map((id) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))];
}
