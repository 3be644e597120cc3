import { expect, it } from 'vitest';
import type { HealthSource, HealthStatus, SecretHealth } from '../../src/model/secret-health.ts';
import { healthOfAnswer, isNews } from '../../src/secrets/record-health.ts';

const now = Date.parse('2026-11-26T12:00:00Z');
const found = (status: HealthStatus, source: HealthSource, agoMs = 0): SecretHealth => ({
  status,
  source,
  checkedAt: new Date(now - agoMs),
});
const minute = 60_000;

it('an answer to a use says that a key is refused with 401 alone, and that it is good with 2xx', () => {
  const said = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [100 + at, healthOfAnswer(100 + at)]));
  const expected = Object.fromEntries(
    Object.keys(said).map((status) => [
      status,
      status === '401' ? 'REJECTED' : status.startsWith('2') ? 'VALID' : null,
    ]),
  );
  expect(said).toEqual(expected);
});

it('what a use finds out is news where it was not known, or was found out an hour ago', () => {
  for (const status of ['VALID', 'REJECTED'] as const) {
    const other = status === 'VALID' ? 'REJECTED' : 'VALID';
    const use = found(status, 'USE');
    expect(isNews(null, use)).toBe(true);
    for (const source of ['CHECK', 'USE'] as const) {
      expect(isNews(found(status, source, 59 * minute), use)).toBe(false);
      expect(isNews(found(status, source, 60 * minute), use)).toBe(true);
      for (const known of [other, 'RATE_LIMITED', 'UNREACHABLE'] as const)
        expect(isNews(found(known, source, 1), use)).toBe(true);
    }
  }
});

it('what a check finds out is news, unless something later is known', () => {
  for (const agoMs of [0, 1, 60 * minute])
    expect(isNews(found('VALID', 'CHECK', agoMs), found('VALID', 'CHECK'))).toBe(true);
  expect(isNews(found('REJECTED', 'USE', -1), found('VALID', 'CHECK'))).toBe(false);
  expect(isNews(found('VALID', 'USE', -1), found('REJECTED', 'USE'))).toBe(false);
});

it('a clock that is far ahead does not hold up what others find out', () => {
  for (const source of ['CHECK', 'USE'] as const)
    expect(isNews(found('REJECTED', 'USE', -minute), found('VALID', source))).toBe(true);
});
