import { expect, it } from 'vitest';
import { acceptsGzip } from '../../src/http/accept-encoding.ts';

it.each([
  ['gzip', true],
  ['gzip, deflate, br, zstd', true],
  ['br;q=1.0, GZIP;q=0.8', true],
  ['x-gzip', true],
  ['*', true],
  ['gzip;q=0', false],
  ['gzip; q=0.000, *', false],
  ['*;q=0', false],
  ['identity', false],
  ['br', false],
  ['', false],
  [undefined, false],
])('an Accept-Encoding of %j: gzip is %j', (header, accepted) => {
  expect(acceptsGzip(header)).toBe(accepted);
});
