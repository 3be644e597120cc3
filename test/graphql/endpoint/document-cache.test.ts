import { buildSchema, parse } from 'graphql';
import { expect, it } from 'vitest';
import { createDocumentCache } from '../../../src/graphql/endpoint/document-cache.ts';

const schema = buildSchema('type Query { a: String }');

function openCache() {
  const { options, plugin } = createDocumentCache(schema, true);
  const { get, set } = options.documentCache ?? {};
  return {
    has: (text: string) => get?.(text) !== undefined,
    /** What Yoga does with a document that is new. */
    meet(text: string, valid?: boolean): void {
      const documentAST = parse(text);
      set?.(text, documentAST);
      if (valid === undefined) return;
      const onValidated = plugin.onValidate?.({ params: { documentAST } } as never) as (result: object) => void;
      onValidated({ valid });
    },
  };
}

it('a document is kept when it is valid, and not when it was only parsed, is not valid, or could hold a value', () => {
  const { has, meet } = openCache();
  meet('{ a }', true);
  meet('{ b: a }');
  meet('{ c: a }', false);
  meet('{ d: a } # a comment', true);
  expect(['{ a }', '{ b: a }', '{ c: a }', '{ d: a } # a comment'].map(has)).toEqual([true, false, false, false]);
});

it('short documents do not fill the memory: each counts as at least 40 characters', () => {
  const { has, meet } = openCache();
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  const names = letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => `{${a}${b}${c}:a}`)));
  for (const text of names) meet(text, true);
  const kept = names.filter(has);
  expect(kept.length).toBeGreaterThan(5000);
  expect(kept.length).toBeLessThanOrEqual(500_000 / 40);
});
