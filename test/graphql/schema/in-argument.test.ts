import { describe, expect, it } from 'vitest';
import { DomainError } from '../../../src/errors.ts';
import { inArgument } from '../../../src/graphql/schema/in-argument.ts';
import { FieldErrors } from '../../../src/rules/field-errors.ts';

/** An operation that reports these fields of its input as broken. */
async function operation(...paths: (string | number)[][]): Promise<never> {
  const errors = new FieldErrors();
  for (const path of paths) path.reduce<FieldErrors>((place, step) => place.at(step), errors).add('type', 'The rule.');
  errors.throwIfAny();
  throw new Error('nothing was broken');
}

const refusalOf = (result: Promise<unknown>) =>
  result.then(
    () => null,
    (error: unknown) => error as DomainError,
  );

describe('the result of an operation whose input came in an argument', () => {
  it('is the result of the operation', async () => {
    expect(await inArgument('input', Promise.resolve('secret'))).toBe('secret');
  });

  it('is an error with the argument before the path of each broken field, and is otherwise the same error', async () => {
    const paths = [['name'], ['tags', 2], []];
    const bare = await refusalOf(operation(...paths));
    const prefixed = await refusalOf(inArgument('input', operation(...paths)));
    expect(bare?.details.errors?.map(({ loc }) => loc)).toEqual(paths);
    expect(prefixed).toMatchObject({ code: 'UNPROCESSABLE_ENTITY', status: 422, type: 'validation_error' });
    expect(prefixed?.details).toEqual({
      ...bare?.details,
      errors: bare?.details.errors?.map((broken) => ({ ...broken, loc: ['input', ...broken.loc] })),
    });
    expect(prefixed?.details.errors?.map(({ field }) => field)).toEqual(['name', 'tags', '']);
  });

  it('keeps the other details of an error', async () => {
    const details = { type: 'own_type', message: 'Own words.', description: 'Why.', currentVersion: 3, errors: [] };
    const refusal = await refusalOf(inArgument('input', Promise.reject(new DomainError('CONFLICT_ERROR', details))));
    expect(refusal).toMatchObject({ code: 'CONFLICT_ERROR', type: 'own_type', message: 'Own words.', details });
  });

  it.each([
    ['an error without broken fields', new DomainError('NOT_FOUND')],
    ['a defect', new TypeError('x')],
    ['a value that is not an error', 'x'],
  ])('is %s, exactly as it was thrown', async (_what, thrown) => {
    expect(await refusalOf(inArgument('input', Promise.reject(thrown)))).toBe(thrown);
  });

  it('leaves the operation’s own error unchanged', async () => {
    const own = await refusalOf(operation(['name']));
    await refusalOf(inArgument('input', Promise.reject(own)));
    expect(own?.details.errors?.[0]?.loc).toEqual(['name']);
  });
});
