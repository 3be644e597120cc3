import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

// Loaded before a command in its own process. A wait of a second or more is reported to the parent process, and
// ends when the command gets SIGUSR2. With long-waits.ts?skip it ends immediately.

const shortestMs = 1000;
const isSkipping = new URL(import.meta.url).search === '?skip';
const wait = timers.setTimeout;
const asked = new Promise<void>((resolve) => {
  if (!isSkipping) process.once('SIGUSR2', () => resolve());
});

timers.setTimeout = (<T>(ms?: number, value?: T, options?: Parameters<typeof wait>[2]) => {
  if (ms === undefined || ms < shortestMs) return wait(ms, value, options);
  process.send?.('waiting');
  if (isSkipping) return wait(0, value, options);
  return Promise.race([wait(ms, value, options), asked.then(() => value as T)]);
}) as typeof wait;
syncBuiltinESMExports();
