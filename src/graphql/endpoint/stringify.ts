import { setImmediate } from 'node:timers/promises';

/** Lists of at most so many items are written without a break. */
const shortList = 200;
/** Characters of JSON that are written in one tick of the event loop. */
const charactersPerTick = 256 * 1024;

/**
 * The JSON of an answer. An answer with long lists may have tens of megabytes: it is written in pieces, and other requests
 * are answered in between.
 */
export function stringify(answer: object): string | Promise<string> {
  return hasLongList(answer) ? stringifyInPieces(answer) : JSON.stringify(answer);
}

async function stringifyInPieces(answer: object): Promise<string> {
  const pieces: string[] = [];
  let inTick = 0;

  async function write(value: unknown): Promise<void> {
    if (Array.isArray(value) && hasLongList(value)) {
      pieces.push('[');
      for (const [index, item] of value.entries()) {
        if (index > 0) pieces.push(',');
        await write(item);
      }
      pieces.push(']');
    } else if (hasLongList(value)) {
      pieces.push('{');
      const members = Object.entries(Object(value)).filter(([, member]) => member !== undefined);
      for (const [index, [name, member]] of members.entries()) {
        pieces.push(`${index > 0 ? ',' : ''}${JSON.stringify(name)}:`);
        await write(member);
      }
      pieces.push('}');
    } else {
      // What JSON cannot express is null, as in any list.
      const piece = JSON.stringify(value) ?? 'null';
      pieces.push(piece);
      inTick += piece.length;
      if (inTick < charactersPerTick) return;
      inTick = 0;
      await setImmediate();
    }
  }

  await write(answer);
  return pieces.join('');
}

/** Items of one list are alike: the first one tells whether they contain long lists. */
function hasLongList(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > shortList || hasLongList(value[0]);
  if (typeof value !== 'object' || value === null) return false;
  for (const name in value) if (hasLongList((value as Record<string, unknown>)[name])) return true;
  return false;
}
