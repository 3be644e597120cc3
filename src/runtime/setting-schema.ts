import { z } from 'zod';
import { didYouMean, nearestWords } from './spelling.ts';

/** A rule for the value of a member, which may be missing. */
export function must(be: string) {
  return {
    error: ({ input }: { input?: unknown }) =>
      input === undefined ? `is missing. It must be ${be}.` : `must be ${be}.`,
  };
}

/** A list, of what is named in words. */
export const listOf = <T extends z.ZodType>(item: T, of: string) => z.array(item, must(`a list of ${of}`));
export const object = <T extends z.core.$ZodLooseShape>(members: T) => z.strictObject(members, must('an object: {…}'));
/** Text without control characters. */
export const text = (be: string) => z.string(must(be)).refine((value) => /^\P{Cc}+$/u.test(value), must(be));
/** One of these words; otherwise the nearest is suggested. */
export function oneOf<const T extends string>(words: readonly T[]) {
  return z.enum(words, {
    error: ({ input }) =>
      `must be one of: ${words.join(', ')}.${typeof input === 'string' ? didYouMean(nearestWords(input, words)) : ''}`,
  });
}
