// Writes to standard error, since --json uses standard output.

const isTerminal = process.stderr.isTTY;
const width = 30;
let isOpen = false;
let toldAt = 0;

/** Prints a line. */
export function say(text: string): void {
  if (isOpen) process.stderr.write('\r\x1b[K');
  isOpen = false;
  process.stderr.write(`${text}\n`);
}

/** Draws a progress bar in place; without a terminal, prints a line every five seconds. */
export function progress(what: string, done: number, total: number): void {
  const share = Math.min(1, done / total);
  const percent = `${Math.round(share * 100)} %`.padStart(5);
  if (isTerminal) {
    const filled = Math.round(share * width);
    process.stderr.write(`\r\x1b[K${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${percent}  ${what}`);
    isOpen = true;
    return;
  }
  const now = performance.now();
  if (now - toldAt < 5000) return;
  toldAt = now;
  process.stderr.write(`${percent}  ${what}\n`);
}
