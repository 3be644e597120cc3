import type { GraphQLResolveInfo } from 'graphql';
import type { Disclosure } from '../../secrets/disclosure.ts';
import { inArgument } from './in-argument.ts';
import { showsMoreThanWritersSee } from './selection.ts';

/** For the description of a secret in a payload. */
export const partForWriters =
  'More of it than `id`, `placeholder`, `name`, `owner`, `version` and times, or a list, needs the scope `secrets:read`.';

/**
 * Runs the operation of a mutation whose one argument is `input`. Every mutation goes through here, so that its operation is
 * told whether the payload shows what only readers may see.
 */
export function runMutation<Input extends object, Result>(
  info: GraphQLResolveInfo,
  input: Input,
  run: (input: Input & Disclosure) => Promise<Result>,
): Promise<Result> {
  return inArgument('input', run({ ...input, reads: showsMoreThanWritersSee(info) }));
}
