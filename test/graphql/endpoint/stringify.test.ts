import fc from 'fast-check';
import { expect, it } from 'vitest';
import { stringify as stringifyAnswer } from '../../../src/graphql/endpoint/stringify.ts';

/** As it is sent when it is large. */
async function stringify(response: object): Promise<string> {
  let text = '';
  for await (const piece of stringifyAnswer(response, { bytes: Number.MAX_SAFE_INTEGER })) text += piece;
  return text;
}

it('returns the same text as JSON.stringify for any answer', async () => {
  const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
  const item = fc.record({ id: leaf, tags: fc.array(fc.string(), { maxLength: 3 }) }, { requiredKeys: ['id'] });
  const nodes = fc.array(item, { minLength: 0, maxLength: 3 }).map((some) => Array(150).fill(some).flat());
  const answer = fc.record(
    {
      errors: fc.array(fc.record({ message: fc.string(), extensions: fc.dictionary(fc.string(), leaf) })),
      data: fc.oneof(
        fc.constant(null),
        fc.dictionary(
          fc.string(),
          fc.oneof(leaf, nodes, fc.record({ nodes }), fc.array(fc.record({ secrets: fc.record({ nodes }) }))),
        ),
      ),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(answer, async (value) => {
      expect(await stringify(value)).toBe(JSON.stringify(value));
    }),
    { numRuns: 300 },
  );
});

it('leaves out undefined members, and writes null for undefined items', async () => {
  const value = { errors: undefined, data: { a: undefined, list: [...Array(300).fill({ id: 1 }), undefined] } };
  expect(await stringify(value)).toBe(JSON.stringify(value));
});

it('yields to the event loop while it writes a long list', async () => {
  let turns = 0;
  const timer = setInterval(() => {}, 1000);
  const count = () => {
    turns += 1;
    immediate = setImmediate(count);
  };
  let immediate = setImmediate(count);
  const nodes = Array.from({ length: 70_000 }, (_, id) => ({
    id,
    name: 'a name that is of some length',
    tags: ['a', 'b'],
  }));
  const answer = { data: { viewer: { teams: [{ team: { secrets: { nodes } } }] } } };
  expect((await stringify(answer)).length).toBe(JSON.stringify(answer).length);
  expect(turns).toBeGreaterThan(10);
  clearImmediate(immediate);
  clearInterval(timer);
});
