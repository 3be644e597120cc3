import fc from 'fast-check';
import { expect, it } from 'vitest';
import { schema } from '../../../src/graphql/schema/schema.ts';

const dateTime = schema.getType('DateTime') as unknown as {
  serialize(date: Date): string;
  parseValue(sent: unknown): Date;
};

it('a DateTime is written as toISOString() writes it, in every year and on more days than are cached', () => {
  const date = fc.date({ noInvalidDate: true });
  const lately = fc.date({ min: new Date('1960-01-01'), max: new Date('2060-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(fc.oneof(date, lately), (moment) => {
      expect(dateTime.serialize(moment)).toBe(moment.toISOString());
    }),
    { numRuns: 5000 },
  );
});

const parsed = (sent: unknown) => {
  try {
    return dateTime.parseValue(sent).toISOString();
  } catch {
    return 'refused';
  }
};

it.each([
  ['2026-04-15T12:00:00Z', '2026-04-15T12:00:00.000Z'],
  ['2026-04-15T12:00:00.5Z', '2026-04-15T12:00:00.500Z'],
  ['2026-04-15T12:00:00.123456789Z', '2026-04-15T12:00:00.123Z'],
  ['2026-04-15t12:00:00z', '2026-04-15T12:00:00.000Z'],
  ['2026-04-15T12:00:00+02:30', '2026-04-15T09:30:00.000Z'],
  ['2024-02-29T23:59:59-01:00', '2024-03-01T00:59:59.000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
])('a DateTime can be sent as RFC 3339 has it: %s', (sent, expected) => {
  expect(parsed(sent)).toBe(expected);
});

it.each([
  ...[
    '',
    'now',
    '2026-04-15',
    '2026-04-15 12:00:00Z',
    '2026-04-15T12:00:00',
    '2026-04-15T12:00Z',
    '2026-02-30T00:00:00Z',
  ],
  ...[
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-04-15T24:00:00Z',
    '2026-04-15T12:60:00Z',
    '2026-04-15T12:00:61Z',
  ],
  ...['+002026-04-15T12:00:00Z', '2026-04-15T12:00:00+25:00', '2026-04-15T12:00:00+2:00', ' 2026-04-15T12:00:00Z'],
  ...['2026-04-15T12:00:00Z\n', '2026-04-15T12:00:00.Z', 1776254400000, null, true, {}, ['2026-04-15T12:00:00Z']],
])('a DateTime that is no moment is refused: %j', (sent) => {
  expect(parsed(sent)).toBe('refused');
});
