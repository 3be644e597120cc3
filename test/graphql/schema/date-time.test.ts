import fc from 'fast-check';
import { expect, it } from 'vitest';
import { schema } from '../../../src/graphql/schema/schema.ts';

const dateTime = schema.getType('DateTime') as unknown as { serialize(date: Date): string };

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
