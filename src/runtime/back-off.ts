import { setTimeout } from 'node:timers/promises';

/** Waits before another attempt, after a conflict with others: longer each time, and at random, so that they do not meet again. */
export async function backOff(attempt: number): Promise<void> {
  await setTimeout(Math.random() * 10 * attempt);
}
