import { setImmediate } from 'node:timers/promises';

// Loaded before a gateway in its own process. Measures CPU time, so that other processes of the machine do not count.

export interface Measured {
  /** The longest time that the event loop was blocked. */
  longestPieceMs: number;
  /** The CPU time of all threads of the process. */
  cpuMs: number;
  /** The peak memory of the process. */
  peakBytes: number;
}

/** Positive controls: work that must be found, and work that must not count as one piece. */
const controls: Record<string, () => Promise<void> | void> = {
  'hold the event loop': () => burn(300),
  'burn in pieces': async () => {
    for (let piece = 0; piece < 20; piece += 1) {
      burn(15);
      await setImmediate();
    }
  },
  'take memory': () => void Buffer.alloc(300 * 1024 * 1024, 1),
};

const threadMs = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};
const processMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

let [lookedAt, longestPieceMs, takenAt] = [threadMs(), 0, processMs()];

function look(): void {
  const now = threadMs();
  longestPieceMs = Math.max(longestPieceMs, now - lookedAt);
  lookedAt = now;
}

function take(): Measured {
  look();
  const now = processMs();
  const measured = { longestPieceMs, cpuMs: now - takenAt, peakBytes: process.resourceUsage().maxRSS * 1024 };
  [longestPieceMs, takenAt] = [0, now];
  return measured;
}

setInterval(look, 1).unref();

function burn(milliseconds: number): void {
  const until = threadMs() + milliseconds;
  while (threadMs() < until);
}

process.on('message', async (message: string) => {
  await controls[message]?.();
  process.send?.(take());
});
process.channel?.unref();
