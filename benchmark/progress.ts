// Standard error, so that --json has standard output to itself.

const isTerminal = process.stderr.isTTY;
const width = 30;
let isOpen = false;
let toldAt = 0;

/** A line that stays. */
export function say(text: string): void {
  if (isOpen) process.stderr.write('\r\x1b[K');
  isOpen = false;
  process.stderr.write(`${text}\n`);
}

/** A bar that is drawn over; without a terminal, a line every five seconds. */
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
