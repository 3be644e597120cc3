import { readFileSync } from 'node:fs';
import { expect, expectTypeOf, it } from 'vitest';
import type { ErrorCode } from '../../src/client/index.ts';
import { type ErrorCode as ErrorCodeOfGateway, errorTable } from '../../src/errors.ts';

it('the codes of the client are those of the gateway', () => {
  const file = readFileSync(new URL('../../src/client/error-code.ts', import.meta.url), 'utf8');
  expect([...file.matchAll(/\| '(\w+)'/g)].map(([, code]) => code)).toEqual(Object.keys(errorTable));
  expectTypeOf<ErrorCode>().toEqualTypeOf<ErrorCodeOfGateway>();
});
