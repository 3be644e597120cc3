import { expect, it } from 'vitest';
import { refusalOf } from '../../src/store/mongodb/refusals.ts';

// What a fail point of MongoDB cannot answer with is told here.
it.each([
  [391, 'not-allowed'],
  [91, 'no-primary'],
  [11600, 'no-primary'],
  [13388, 'stale-routing'],
  [249, 'stale-routing'],
])('%i is %s', (code, refusal) => {
  expect(refusalOf(code)).toBe(refusal);
});

it.each([0, 2, 9, 14, 22, 40, 59, 66, 72, 73, 121, 168, 10334, 11000, Number.NaN])(
  '%d is the fault of a command',
  (code) => {
    expect(refusalOf(code)).toBeUndefined();
  },
);
