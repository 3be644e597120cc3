import { setImmediate } from 'node:timers/promises';
import type { Answer } from '../../runtime/answer.ts';

/** Answers of at most this many bytes are written in one piece, in about a millisecond. */
const smallAnswer = 256 * 1024;
/** This many errors take about as many bytes as a small answer has. */
const fewErrors = 200;
/** Characters of a piece. In one tick of the event loop one piece is made. */
const pieceLength = 128 * 1024;

/**
 * The JSON of an answer, or of the answers to an array of operations. A large one is made in pieces, as they are sent, and
 * other requests are answered in between.
 */
export function stringify(response: object, { bytes }: Pick<Answer, 'bytes'>): string | AsyncIterable<string> {
  return bytes > smallAnswer || errorsOf(response) > fewErrors ? inPieces(response) : JSON.stringify(response);
}

function errorsOf(response: object): number {
  if (Array.isArray(response)) return response.reduce((sum: number, one) => sum + errorsOf(one), 0);
  return 'errors' in response && Array.isArray(response.errors) ? response.errors.length : 0;
}

async function* inPieces(response: object): AsyncGenerator<string> {
  let piece = '';
  for (const text of textsOf(response)) {
    piece += text;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
    await setImmediate();
  }
  yield piece;
}

/** The JSON of a value in texts of at most one object without objects in it. */
function* textsOf(value: unknown): Generator<string> {
  if (isFlat(value)) {
    // What JSON cannot express is null, as in any list.
    yield JSON.stringify(value) ?? 'null';
  } else if (Array.isArray(value)) {
    let before = '[';
    for (const item of value) {
      yield before;
      yield* textsOf(item);
      before = ',';
    }
    yield ']';
  } else {
    let before = '{';
    for (const [name, member] of Object.entries(Object(value))) {
      if (member === undefined) continue;
      yield `${before}${JSON.stringify(name)}:`;
      yield* textsOf(member);
      before = ',';
    }
    yield before === '{' ? '{}' : '}';
  }
}

/** Whether a value has no objects in it, except lists of texts. */
function isFlat(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every((item) => typeof item !== 'object' || item === null);
  for (const name in value) {
    const member = (value as Record<string, unknown>)[name];
    if (typeof member === 'object' && member !== null && !(Array.isArray(member) && isFlat(member))) return false;
  }
  return true;
}
