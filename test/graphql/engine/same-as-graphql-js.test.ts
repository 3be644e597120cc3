import fc from 'fast-check';
import { type ExecutionResult, execute, GraphQLError, parse } from 'graphql';
import { expect, it } from 'vitest';
import { prepareOperation } from '../../../src/graphql/engine/prepare-operation.ts';
import { anyDocument, anyVariables } from './any-document.ts';
import type { World } from './faults.ts';
import { faultySchema, objectAt } from './faulty-schema.ts';

/** In the gate a few seconds' worth. `PLAN_DOCUMENTS=100000` asks for as many as the plan was accepted with. */
const documents = Number(process.env.PLAN_DOCUMENTS ?? 1000);

const anyWorld = fc.record({
  seed: fc.integer(),
  faults: fc.constantFrom(0, 3, 10, 30),
  late: fc.constantFrom(0, 0, 10, 40),
});

it('a plan makes the same of any document, variables and resolvers as graphql-js', { timeout: 3_600_000 }, async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  // graphql-js itself leaves rejections unhandled, which the runner would report.
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
  let planned = 0;
  try {
    await fc.assert(
      fc.asyncProperty(anyDocument, anyVariables, anyWorld, async (text, variables, settings) => {
        const document = parse(text);
        const prepared = prepareOperation(faultySchema, document);
        planned += prepared ? 1 : 0;
        if (!prepared) return;
        const expected = await outcome(settings, (contextValue, rootValue) =>
          execute({ schema: faultySchema, document, variableValues: variables, contextValue, rootValue }),
        );
        unhandled.length = 0;
        const actual = await outcome(settings, (contextValue, rootValue) =>
          prepared.execute({ variableValues: variables, contextValue, rootValue }),
        );
        expect(unhandled).toEqual([]);
        expect(actual.answer).toBe(expected.answer);
        expect(actual.trace).toEqual(expected.trace);
      }),
      { numRuns: documents },
    );
  } finally {
    // Of the last documents.
    for (let tick = 0; tick < ticks; tick += 1) await nextTick();
    process.off('unhandledRejection', note);
    for (const listener of listeners) process.on('unhandledRejection', listener);
  }
  expect(planned).toBeGreaterThan(documents * 0.9);
});

/** Many times as long as the latest value takes; what never settles is not waited for. */
const ticks = 12;

const nextTick = () => new Promise((next) => setImmediate(next));

async function outcome(
  settings: Omit<World, 'trace'>,
  run: (world: World, root: object) => ExecutionResult | Promise<ExecutionResult>,
): Promise<{ answer: string; trace: readonly string[] }> {
  const world: World = { ...settings, trace: [] };
  let result: ExecutionResult | undefined;
  let isSync = true;
  const running = run(world, objectAt(world, 'root'));
  if (running instanceof Promise) {
    isSync = false;
    void running.then((answered) => {
      result = answered;
      world.trace.push('answered');
    });
  } else result = running;
  let atAnswer = '';
  // Rejections that nobody handles are told at the end of a tick, also where nothing is late.
  for (let tick = 0; tick < (settings.late > 0 ? ticks : 1); tick += 1) {
    await nextTick();
    if (result && atAnswer === '') atAnswer = told(result);
  }
  const answer = result ? told(result) : 'never';
  // What comes after the answer must not change it.
  if (atAnswer !== '') expect(answer).toBe(atAnswer);
  return { answer: `${isSync} ${answer}`, trace: world.trace };
}

function told({ data, errors, ...others }: ExecutionResult): string {
  const ofErrors = errors?.map((error) => {
    const { message, path, locations, nodes, originalError, extensions } = error;
    const original = originalError && `${originalError.constructor.name} ${originalError.message}`;
    return [
      error instanceof GraphQLError,
      message,
      path,
      locations,
      nodes?.map(({ kind }) => kind),
      original,
      extensions,
    ];
  });
  return JSON.stringify([data, ofErrors, Object.keys(others)], undefined, 1);
}
