import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Answer } from '../../src/runtime/answer.ts';
import { LargeWork } from '../../src/runtime/large-work.ts';

const large = 2 * 1024 * 1024;
const hour = 3_600_000;

/** A client that reads nothing, until its connection is closed. */
function slowReader(): { answer: Answer; isCutOff: () => boolean } {
  let wasCutOff = false;
  const answer: Answer = new Answer(() => {
    wasCutOff = true;
    answer.end();
  });
  return { answer, isCutOff: () => wasCutOff };
}

describe('large deliveries', () => {
  it('that are read too slowly are cut off for those that wait, the longest first, and no more than are needed', async () => {
    const deliveries = new LargeWork({ maxAtOnce: 3, waitMs: hour, readMs: 0 });
    const readers = [slowReader(), slowReader(), slowReader()];
    for (const [index, { answer }] of readers.entries()) await deliveries.enter(large, `slow ${index}`, answer);
    for (let round = 0; round < 10; round += 1) await setImmediate();
    expect(readers.map(({ isCutOff }) => isCutOff())).toEqual([false, false, false]);
    await Promise.all(['a', 'b'].map((name) => deliveries.enter(large, name, new Answer())));
    expect(readers.map(({ isCutOff }) => isCutOff())).toEqual([true, true, false]);
  });

  it('have their time first', async () => {
    const deliveries = new LargeWork({ maxAtOnce: 1, waitMs: 1, readMs: hour });
    const { answer, isCutOff } = slowReader();
    await deliveries.enter(large, 'slow', answer);
    await expect(deliveries.enter(large, 'other', new Answer())).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(isCutOff()).toBe(false);
  });

  it('are not cut off for another of the same caller, nor for a small one', async () => {
    const deliveries = new LargeWork({ maxAtOnce: 1, waitMs: 20, readMs: 0 });
    const { answer, isCutOff } = slowReader();
    await deliveries.enter(large, 'slow', answer);
    await deliveries.enter(1000, 'other', new Answer());
    await expect(deliveries.enter(large, 'slow', new Answer())).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(isCutOff()).toBe(false);
    answer.end();
    await deliveries.enter(large, 'slow', new Answer());
  });
});
