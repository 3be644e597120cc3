import { expect, it } from 'vitest';
import { countInMemory } from '../../src/store/sqlite/counter.ts';

it('keeps the counts of 100,000 callers, and drops those that were used least recently', async () => {
  const counter = countInMemory(3600);
  await counter.add('first', 5);
  await counter.add('second', 5);
  for (let n = 0; n < 99_998; n += 1) await counter.add(`caller ${n}`, 1);
  expect((await counter.add('first', 1)).count).toBe(6);
  await counter.add('one more', 1);
  expect((await counter.add('second', 1)).count).toBe(1);
  expect((await counter.add('first', 1)).count).toBe(7);
});
