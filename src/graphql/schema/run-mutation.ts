import type { GraphQLResolveInfo } from 'graphql';
import { DomainError } from '../../errors.ts';
import type { Disclosure } from '../../secrets/disclosure.ts';
import { showsMoreThanWritersSee } from './selection.ts';

/** For the description of a secret in a payload. */
export const partForWriters =
  'More of it than `id`, `placeholder`, `name`, `owner`, `version` and times, or a list, needs the scope `secrets:read`.';

/**
 * Runs the operation of a mutation whose one argument is `input`. Every mutation goes through here: the operation is told
 * whether its payload shows what only readers may see, and the fields of its input that broke a rule are named by their path
 * from the arguments.
 */
export async function runMutation<Input extends object, Result>(
  info: GraphQLResolveInfo,
  input: Input,
  run: (input: Input & Disclosure) => Promise<Result>,
): Promise<Result> {
  try {
    return await run({ ...input, reads: showsMoreThanWritersSee(info) });
  } catch (error) {
    if (!(error instanceof DomainError) || !error.details.errors) throw error;
    const errors = error.details.errors.map((broken) => ({ ...broken, loc: ['input', ...broken.loc] }));
    throw new DomainError(error.code, { ...error.details, errors });
  }
}
