import { expect, it } from 'vitest';
import { createPacing } from '../../src/runtime/pacing.ts';

const turnOfEventLoop = () => new Promise((resolve) => setImmediate(resolve));

it('starts as many at once as fit, and no more in one tick of the event loop', async () => {
  const pace = createPacing(10);
  const begun: number[] = [];
  const ask = async (name: number, weight: number) => {
    await pace(weight);
    begun.push(name);
  };
  const asked = Promise.all(Array.from({ length: 10 }, (_, name) => ask(name, 4)));
  // Three of weight four are twelve: the last one may exceed the capacity by part of its weight.
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2]);
  await turnOfEventLoop();
  expect(begun.length).toBeLessThanOrEqual(6);
  await asked;
  expect(begun.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

it('starts one whose weight alone is over the capacity', async () => {
  const pace = createPacing(10);
  expect(pace(1000)).toBeUndefined();
  await pace(1000);
  await pace(1000);
});

it('starts a small one soon even if many are queued before it, without a delay for the oldest of them', async () => {
  const pace = createPacing(10);
  const turns = new Map<string, number>();
  let turn = 0;
  const ask = async (name: string, weight: number) => {
    await pace(weight);
    turns.set(name, turn);
  };
  const large = Array.from({ length: 100 }, (_, n) => ask(`large ${n}`, 10));
  const small = ask('small', 1);
  const all = Promise.all([...large, small]);
  for (; turns.size < 101; turn += 1) await turnOfEventLoop();
  await all;
  expect(turns.get('small')).toBeLessThan(5);
  expect(turns.get('large 1')).toBeLessThan(5);
});

it('starts immediately again in the next tick of the event loop', async () => {
  const pace = createPacing(10);
  for (let turn = 0; turn < 3; turn += 1) {
    expect(pace(10)).toBeUndefined();
    await turnOfEventLoop();
    await turnOfEventLoop();
  }
});

it('starts the oldest even if newer ones of full weight keep coming', async () => {
  const pace = createPacing(10);
  await pace(10);
  let hasBegun = false;
  const oldest = Promise.resolve(pace(10)).then(() => {
    hasBegun = true;
  });
  for (let turn = 0; turn < 10 && !hasBegun; turn += 1) {
    void pace(10);
    await turnOfEventLoop();
  }
  expect(hasBegun).toBe(true);
  await oldest;
});
