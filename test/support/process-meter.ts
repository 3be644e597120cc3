import { setImmediate } from 'node:timers/promises';
import { knownPiece, knownPieceMs } from './known-piece.ts';

// Loaded before a gateway in its own process. Measures CPU time, so that other processes of the machine do not count. How much
// the machine does in that time differs, and is measured with a known piece of work. All times are told as the reference
// machine would take them.

export interface Measured {
  /** The longest time that the event loop was blocked. */
  longestPieceMs: number;
  /** The CPU time of all threads of the process. */
  cpuMs: number;
  /** The peak memory of the process. */
  peakBytes: number;
  /** How many times longer than the reference machine this one took. */
  slowness: number;
}

/** Positive controls: work that must be found, and work that must not count as one piece. */
const controls: Record<string, () => Promise<void> | void> = {
  'hold the event loop for 300 ms': () => burn(300),
  'hold the event loop for 30 ms': () => burn(30),
  'hold the event loop for 90 ms': () => burn(90),
  'burn in pieces': async () => {
    for (let piece = 0; piece < 20; piece += 1) {
      burn(15);
      await setImmediate();
    }
  },
  'take memory': () => void Buffer.alloc(300 * 1024 * 1024, 1),
};

function burn(milliseconds: number): void {
  for (let piece = 0; piece < milliseconds / knownPieceMs; piece += 1) knownPiece();
}

const threadMs = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};
const processMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** How many times longer than the reference machine this one takes now. The median: the garbage collector may fall into one. */
function measureSlowness(): number {
  const takes = Array.from({ length: 5 }, () => {
    const before = threadMs();
    knownPiece();
    return threadMs() - before;
  });
  return (takes.toSorted((a, b) => a - b)[2] ?? 0) / knownPieceMs;
}

// The compiler must have seen it.
for (let round = 0; round < 10; round += 1) measureSlowness();

let [lookedAt, longestPieceMs, takenAt, slow] = [threadMs(), 0, processMs(), measureSlowness()];

function look(): void {
  const now = threadMs();
  longestPieceMs = Math.max(longestPieceMs, now - lookedAt);
  lookedAt = now;
}

function take(): Measured {
  look();
  const cpuMs = processMs() - takenAt;
  const slowAfter = measureSlowness();
  const meanSlowness = (slow + slowAfter) / 2;
  const measured = {
    longestPieceMs: longestPieceMs / meanSlowness,
    cpuMs: cpuMs / meanSlowness,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    slowness: meanSlowness,
  };
  [lookedAt, longestPieceMs, takenAt, slow] = [threadMs(), 0, processMs(), slowAfter];
  return measured;
}

setInterval(look, 1).unref();

process.on('message', async (message: string) => {
  await controls[message]?.();
  process.send?.(take());
});
process.channel?.unref();
