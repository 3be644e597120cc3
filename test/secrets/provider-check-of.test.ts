import { expect, it } from 'vitest';
import type { Destination } from '../../src/model/destination.ts';
import { ProviderTable } from '../../src/model/provider.ts';
import { providerCheckOf } from '../../src/secrets/provider-check-of.ts';
import { plainCheck } from '../support/checks.ts';

const at = { origin: 'https://api.acme.test', header: 'X-Api-Key', format: 'k {value}', paths: ['/v1'] };
const check = { ...plainCheck, path: '/v1/me?x=/v2', notForPrefixes: ['root_', 'app-'] };
const row = { id: 'acme', title: 'Acme', destination: at, keyPrefixes: [], check };
const providers = new ProviderTable([row, { ...row, id: 'none', check: null }], { a: 'acme' });
const destination: Destination = { ...at, byHand: false };
const found = (value: string, given: Destination | null, provider: string | null) =>
  providerCheckOf(value, given, provider, { providers });

it('a value is checked as its provider says, whatever the case of the id, and under an alias', () => {
  for (const provider of ['acme', 'ACME', 'a', 'A']) expect(found('key-0123', destination, provider)).toBe(check);
  expect(found('key-0123', { ...destination, byHand: true, header: 'x-api-key' }, 'acme')).toBe(check);
  for (const paths of [null, ['/'], ['/v1/me'], ['/v2', '/v1']])
    expect(found('key-0123', { ...destination, paths }, 'acme')).toBe(check);
});

it('a value is checked nowhere else than its destination allows', () => {
  const others: Partial<Destination>[] = [
    { origin: 'https://api.acme.test:8443' },
    { origin: 'http://api.acme.test' },
    { origin: 'https://evil.test' },
    { header: 'Authorization' },
    { format: '{value}' },
    { format: 'K {value}' },
    { paths: ['/v2'] },
    { paths: ['/v1/m'] },
    { paths: ['/v1/me/more'] },
    { paths: ['/V1'] },
    { paths: [] },
  ];
  for (const other of others) expect(found('key-0123', { ...destination, ...other }, 'acme')).toBeNull();
});

it('nothing is checked without a destination, a provider that has a check, or with a key that it cannot tell', () => {
  expect(found('key-0123', null, 'acme')).toBeNull();
  for (const provider of [null, 'none', 'other', '', '__proto__'])
    expect(found('key-0123', destination, provider)).toBeNull();
  for (const value of ['root_1', 'root_', 'app-1']) expect(found(value, destination, 'acme')).toBeNull();
  for (const value of ['Root_1', 'xroot_', '']) expect(found(value, destination, 'acme')).toBe(check);
});
