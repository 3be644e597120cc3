import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import { refuseNul, selectVariables } from './child-environment.ts';
import type { Gateway } from './gateway.ts';
import { resolve } from './resolve.ts';

/** What a program is to have in its environment. */
export interface Wanted {
  /** The names that were asked for; empty: all. */
  readonly only: readonly string[];
  /** The names of secrets, by the variable that each goes to. */
  readonly renames: ReadonlyMap<string, string>;
}

export interface ExecValues {
  readonly variables: ReadonlyMap<string, string>;
  /** Of the secrets that were delivered. */
  readonly ids: ReadonlySet<string>;
}

/** All names that must be there. */
export function namesOf({ only, renames }: Wanted): string[] {
  return [...new Set([...only, ...renames.values()])];
}

/**
 * @param told the names of which it was said before that they are skipped; those of which it is said now are added
 * @throws CommandFailure where one that was asked for is not there or has no value, or cannot be a variable
 */
export async function execValues(gateway: Gateway, wanted: Wanted, told = new Set<string>()): Promise<ExecValues> {
  const names = namesOf(wanted);
  const secrets = await resolve(gateway, { purpose: 'exec', ...(wanted.only.length > 0 && { names }) });
  const values = new Map(secrets.map(({ name, value }) => [name, value]));
  const absent = names.filter((name) => !values.has(name));
  if (absent.length > 0) {
    const list = absent.map(printable).join(', ');
    throw new CommandFailure(`These secrets do not exist, or have no value: ${list}. Nothing was started.`);
  }
  const { variables, skipped } = selectVariables(values, wanted);
  refuseNul(variables);
  for (const { name, why } of skipped) {
    if (told.has(name)) continue;
    told.add(name);
    process.stderr.write(`Skipped: ${printable(name)} ${why}. --env VARIABLE=NAME sets it all the same.\n`);
  }
  return { variables, ids: new Set(secrets.map(({ id }) => id)) };
}
