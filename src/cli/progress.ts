import type { WriteStream } from 'node:tty';

const width = 30;
const redrawMs = 100;
const lineMs = 10_000;

export interface Progress {
  show(done: number, total: number): void;
  /** Ends the line of the bar. */
  end(): void;
}

/** Shows the progress of long work: a bar on a terminal, a line every ten seconds elsewhere. */
export function createProgress(what: string, stream: Pick<WriteStream, 'write' | 'isTTY'>): Progress {
  const startedAt = performance.now();
  let shownAt = stream.isTTY ? Number.NEGATIVE_INFINITY : startedAt;
  let hasBar = false;
  return {
    show(done, total) {
      const now = performance.now();
      const isComplete = done >= total;
      if (now - shownAt < (stream.isTTY ? redrawMs : lineMs) && !(isComplete && hasBar)) return;
      shownAt = now;
      const share = total === 0 ? 1 : Math.min(done / total, 1);
      const perSecond = (done * 1000) / (now - startedAt);
      const rate = perSecond < 1 ? '' : `  ${count(perSecond)}/s`;
      const figures = `${Math.floor(share * 100)} %  ${count(done)} of ${count(total)}${rate}`;
      const rest = isComplete || done === 0 ? '' : `  ${count(Math.ceil((total - done) / perSecond))} s left`;
      if (stream.isTTY) {
        const filled = Math.round(share * width);
        const bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
        stream.write(`\r${what}  ${bar}  ${figures}${rest}\u001b[K`);
        hasBar = true;
      } else stream.write(`${what}  ${figures}${rest}\n`);
    },
    end() {
      if (hasBar) stream.write('\n');
    },
  };
}

function count(number: number): string {
  return Math.round(number).toLocaleString('en');
}
