/** How many letters to add, drop, change or swap with their neighbour, to make one word of the other. */
export function editDistance(from: string, to: string): number {
  let [beforeLast, last]: number[][] = [[], Array.from({ length: to.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= from.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const changed = at(last, j - 1) + (from[i - 1] === to[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      row.push(Math.min(changed, at(last, j) + 1, at(row, j - 1) + 1, swapped ? at(beforeLast, j - 2) + 1 : changed));
    }
    [beforeLast, last] = [last, row];
  }
  return at(last, to.length);
}

function at(row: readonly number[] | undefined, index: number): number {
  return row?.[index] ?? Number.POSITIVE_INFINITY;
}

/** Those that are nearest to what was written, if they are near at all. */
export function nearestWords(written: string, words: readonly string[]): string[] {
  return nearest(words, (word) => {
    const distance = editDistance(written.toLowerCase(), word.toLowerCase());
    if (distance <= Math.min(word.length <= 4 ? 1 : 2, word.length / 2)) return distance;
    return sharedStart(written.toLowerCase(), word.toLowerCase()) >= 3 ? 3 : null;
  });
}

/**
 * The names of several words, such as DATABASE_URL, that a name was probably meant to be. Words are compared one by one: a
 * short word with two other letters is another word, as in DATABASE_SSL.
 */
export function nearestNames(written: string, names: readonly string[]): string[] {
  const words = wordsOf(written);
  return nearest(names, (name) => {
    const expected = wordsOf(name);
    if (words.join('') === expected.join('')) return 0;
    if (words.length !== expected.length) return within(1, editDistance(words.join(''), expected.join('')));
    const distances = expected.map((word, i) => within(word.length <= 4 ? 1 : 2, editDistance(words[i] ?? '', word)));
    return within(
      2,
      distances.reduce<number>((sum, distance) => sum + (distance ?? Number.POSITIVE_INFINITY), 0),
    );
  });
}

function wordsOf(name: string): string[] {
  return name.toUpperCase().split(/[_.-]/);
}

function nearest(candidates: readonly string[], distanceOf: (candidate: string) => number | null): string[] {
  const near = candidates.flatMap((candidate) => {
    const distance = distanceOf(candidate);
    return distance === null ? [] : [{ candidate, distance }];
  });
  const least = Math.min(...near.map(({ distance }) => distance));
  return near.filter(({ distance }) => distance === least).map(({ candidate }) => candidate);
}

function within(limit: number, distance: number): number | null {
  return distance <= limit ? distance : null;
}

function sharedStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

/** To be put after a message. */
export function didYouMean(words: readonly string[]): string {
  return words.length === 0 ? '' : ` Did you mean ${words.join(' or ')}?`;
}
