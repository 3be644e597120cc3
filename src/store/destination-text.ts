import type { Destination } from '../model/destination.ts';

/** A destination as it is stored: a JSON array. */
export function destinationText({ origin, header, format, paths, byHand }: Destination): string {
  return JSON.stringify([origin, header, format, paths, byHand]);
}

/**
 * Stands for what no gateway wrote. It is not null, which would say that there is no destination, and no MAC of a gateway is over
 * it: such a record is refused, and fails nobody who lists it among others.
 */
const damaged: Destination = { origin: '', header: '', format: '', paths: [], byHand: true };

/** Rows that are read one after the other mostly have the same destinations. */
let latestText: unknown;
let latest: Destination = damaged;

/** @param stored what the store has, whatever it is */
export function destinationOfText(stored: unknown): Destination {
  if (stored === latestText) return latest;
  latest = parsed(stored);
  latestText = stored;
  return latest;
}

function parsed(stored: unknown): Destination {
  if (typeof stored !== 'string') return damaged;
  let parts: unknown;
  try {
    parts = JSON.parse(stored);
  } catch {
    return damaged;
  }
  if (!Array.isArray(parts) || parts.length !== 5) return damaged;
  const [origin, header, format, paths, byHand] = parts as unknown[];
  const isSound = [origin, header, format].every(isText) && typeof byHand === 'boolean';
  const isList = paths === null || (Array.isArray(paths) && paths.every(isText));
  return isSound && isList ? ({ origin, header, format, paths, byHand } as Destination) : damaged;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
