import { expect, it } from 'vitest';
import { report, wrongIn } from './load/report.ts';
import { nothingWrong, type Round } from './load/way.ts';

const fine: Round = { made: 1000, refused: 2, unknown: 3, read: 4, stale: 0, ...nothingWrong };
const bad: Round = { ...fine, lost: ['a: create'], untyped: ['500', '502'], stuck: ['did not end'] };

it('the report has a row for each kind of fault, and their sum', () => {
  const rows = report({
    'One way': new Map([
      ['one fault', [fine, bad]],
      ['another', [fine]],
    ]),
  }).split('\n');
  expect(rows).toContain('## One way');
  expect(rows).toContain('| one fault | 2 | 2,000 | 4 | 6 | 8 | 0 | 1 | 0 | 0 | 2 | 1 |');
  expect(rows).toContain('| another | 1 | 1,000 | 2 | 3 | 4 | 0 | 0 | 0 | 0 | 0 | 0 |');
  expect(rows).toContain('| **all** | 3 | 3,000 | 6 | 9 | 12 | 0 | 1 | 0 | 0 | 2 | 1 |');
});

it('what must not be there is named one by one', () => {
  expect(wrongIn(fine)).toEqual([]);
  expect(wrongIn(bad)).toEqual(['lost: a: create', 'untyped: 500', 'untyped: 502', 'stuck: did not end']);
});
