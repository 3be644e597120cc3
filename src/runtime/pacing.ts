/**
 * Spreads work over turns of the event loop, so that others are answered in between. Who waits is let in from both ends of
 * the line in turn: a small request does not wait for all of a large one that came before it, and neither waits for ever.
 * @param capacity how much of it is begun in one turn, in whatever unit weights have
 * @returns asks to begin: undefined for at once, otherwise a promise that is fulfilled in a later turn
 */
export function createPacing(capacity: number): (weight: number) => Promise<void> | undefined {
  const waiting: { readonly weight: number; readonly begin: () => void }[] = [];
  let used = 0;
  let isTurning = false;
  let isLast = false;

  function turn(): void {
    used = 0;
    while (used < capacity) {
      isLast = !isLast;
      const next = isLast ? waiting.pop() : waiting.shift();
      if (!next) break;
      used += next.weight;
      next.begin();
    }
    isTurning = used > 0;
    if (isTurning) setImmediate(turn);
  }

  return (weight) => {
    if (!isTurning) {
      isTurning = true;
      setImmediate(turn);
    }
    if (waiting.length === 0 && used < capacity) {
      used += weight;
      return undefined;
    }
    return new Promise((begin) => {
      waiting.push({ weight, begin });
    });
  };
}
