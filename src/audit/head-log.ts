import type { ChainHead } from '../model/audit-event.ts';
import type { Log } from '../runtime/log.ts';

const everyMs = 60_000;
/** About 150 bytes each: 150 kB of log a minute, however many owners change something. */
const maxOwnersEachTime = 1000;
/** A few megabytes. An owner beyond that is counted, and logged when it changes something later. */
const maxOwnersWaiting = 10_000;
/** Collectors of logs cut lines that are longer than 16 or 32 kB. */
const maxOwnersInLine = 100;

export interface HeadLog {
  /** @param owner the owner's key */
  changed(owner: string, head: ChainHead): void;
  /** Logs what has not been logged yet. */
  close(): void;
}

/**
 * Logs the heads of the audit chains that grew, once a minute and at the end. Whoever cuts off the end of a chain in the
 * database cannot change the log, if that is kept elsewhere. Each owner that waits is logged with its newest head, those
 * that have waited for the longest time first.
 */
export function createHeadLog(log: Log): HeadLog {
  const waiting = new Map<string, ChainHead>();
  let skipped = 0;

  function write(maxOwners: number): void {
    const due = [...waiting.entries()].slice(0, maxOwners);
    for (const [owner] of due) waiting.delete(owner);
    const told = skipped;
    skipped = 0;
    for (let from = 0; from < due.length; from += maxOwnersInLine) {
      const heads = due
        .slice(from, from + maxOwnersInLine)
        .map(([owner, { sequence, hash }]) => ({ owner, sequence, hash }));
      const isLast = from + maxOwnersInLine >= due.length;
      log.info({ heads, ...(isLast && { waiting: waiting.size, skipped: told }) }, 'audit heads');
    }
  }

  const timer = setInterval(() => write(maxOwnersEachTime), everyMs);
  timer.unref();
  return {
    changed(owner, { sequence, hash }) {
      const known = waiting.get(owner);
      if (!known && waiting.size >= maxOwnersWaiting) skipped += 1;
      else if (!known || known.sequence < sequence) waiting.set(owner, { sequence, hash });
    },
    close() {
      clearInterval(timer);
      write(maxOwnersWaiting);
    },
  };
}
