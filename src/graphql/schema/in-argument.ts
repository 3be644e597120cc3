import { DomainError } from '../../errors.ts';

/**
 * The result of an operation whose input came in this argument. The operation names the fields of its input; clients are
 * told the path from the arguments of the field.
 */
export function inArgument<T>(argument: string, result: Promise<T>): Promise<T> {
  return result.catch((error: unknown) => {
    if (!(error instanceof DomainError) || !error.details.errors) throw error;
    const errors = error.details.errors.map((broken) => ({ ...broken, loc: [argument, ...broken.loc] }));
    throw new DomainError(error.code, { ...error.details, errors });
  });
}
