import { setImmediate } from 'node:timers/promises';

/** Lists of at most so many items are written out in one piece. */
const shortList = 200;
/** Characters of JSON that are written out in one turn of the event loop. */
const charactersInTurn = 256 * 1024;

/**
 * The JSON of an answer. One that has long lists may come to tens of megabytes: it is written out piece by piece, and others are
 * answered in between.
 */
export function stringify(answer: object): string | Promise<string> {
  return hasLongList(answer) ? stringifyInTurns(answer) : JSON.stringify(answer);
}

async function stringifyInTurns(answer: object): Promise<string> {
  const pieces: string[] = [];
  let inTurn = 0;

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
      // As in any list, what JSON cannot say is null.
      const piece = JSON.stringify(value) ?? 'null';
      pieces.push(piece);
      inTurn += piece.length;
      if (inTurn < charactersInTurn) return;
      inTurn = 0;
      await setImmediate();
    }
  }

  await write(answer);
  return pieces.join('');
}

/** Items of one list are alike: whether there are long lists in them, the first one tells. */
function hasLongList(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > shortList || hasLongList(value[0]);
  if (typeof value !== 'object' || value === null) return false;
  for (const name in value) if (hasLongList((value as Record<string, unknown>)[name])) return true;
  return false;
}
