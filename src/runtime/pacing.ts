/**
 * Spreads work over ticks of the event loop, so that other requests are answered in between. Waiting work is started
 * alternately from both ends of the queue: a small request does not wait for all of a large one that came before it, and
 * neither of them waits indefinitely.
 * @param capacity how much work is started in one tick, in the unit of the weights
 * @returns asks to start work: undefined to start at once, otherwise a promise that is fulfilled in a later tick
 */
export function createPacing(capacity: number): (weight: number) => Promise<void> | undefined {
  const waiting: { readonly weight: number; readonly start: () => void }[] = [];
  let used = 0;
  let isTicking = false;
  let takesLast = false;

  function tick(): void {
    used = 0;
    while (used < capacity) {
      takesLast = !takesLast;
      const next = takesLast ? waiting.pop() : waiting.shift();
      if (!next) break;
      used += next.weight;
      next.start();
    }
    isTicking = used > 0;
    if (isTicking) setImmediate(tick);
  }

  return (weight) => {
    if (!isTicking) {
      isTicking = true;
      setImmediate(tick);
    }
    if (waiting.length === 0 && used < capacity) {
      used += weight;
      return undefined;
    }
    return new Promise((start) => {
      waiting.push({ weight, start });
    });
  };
}
