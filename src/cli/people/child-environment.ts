import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import { UsageError } from '../usage-error.ts';
import type { Environment } from './environment.ts';
import { isDangerousVariable, isVariableName } from './variable-name.ts';

/** The names of the secrets that `--env VARIABLE=NAME` puts into variables. */
export function parseRenames(options: readonly string[]): ReadonlyMap<string, string> {
  const renames = new Map<string, string>();
  for (const option of options) {
    const sign = option.indexOf('=');
    const variable = option.slice(0, Math.max(sign, 0));
    const name = option.slice(sign + 1).normalize('NFC');
    if (!isVariableName(variable) || name === '')
      throw new UsageError('--env must be VARIABLE=NAME: --env DATABASE_URL="the database"');
    if (renames.has(variable)) throw new UsageError('--env names a variable twice.');
    renames.set(variable, name);
  }
  return renames;
}

export interface Selection {
  /** The names that were asked for; empty: all. */
  readonly only: readonly string[];
  readonly renames: ReadonlyMap<string, string>;
}

export interface Skipped {
  readonly name: string;
  readonly why: string;
}

/**
 * Which variables get which values.
 * @param values of all resolved secrets, by name
 * @throws CommandFailure where one that was asked for cannot be a variable
 */
export function selectVariables(
  values: ReadonlyMap<string, string>,
  { only, renames }: Selection,
): { variables: ReadonlyMap<string, string>; skipped: readonly Skipped[] } {
  const variables = new Map<string, string>();
  const skipped: Skipped[] = [];
  const renamed = new Set(renames.values());
  for (const name of only.length > 0 ? only : values.keys()) {
    // Who gives it another name does not want it under its own, unless that is asked for, too.
    if (only.length === 0 && renamed.has(name)) continue;
    const why = whyNoVariable(name);
    if (why === null) variables.set(name, values.get(name) ?? '');
    else if (only.length === 0) skipped.push({ name, why });
    else throw new CommandFailure(`${printable(name)} ${why}. --env VARIABLE=NAME sets it all the same.`);
  }
  for (const [variable, name] of renames) variables.set(variable, values.get(name) ?? '');
  return { variables, skipped };
}

/** For all output in which a name becomes a variable. */
export function whyNoVariable(name: string): string | null {
  if (!isVariableName(name)) return 'is no name of a variable';
  return isDangerousVariable(name) ? 'would change how programs run' : null;
}

/** @throws CommandFailure that names the secrets: an environment cannot hold their values */
export function refuseNul(values: ReadonlyMap<string, string>): void {
  const names = [...values].filter(([, value]) => value.includes('\0')).map(([name]) => printable(name));
  if (names.length === 0) return;
  throw new CommandFailure(`The value of ${names.join(', ')} has a NUL character, which a variable cannot hold.`);
}

const credentialVariables = ['SECRETS_GATEWAY_TOKEN', 'SECRETS_GATEWAY_API_KEY'];

/** What is shorter is none, and could stand in any variable. */
const shortestCredential = 16;

/**
 * The environment of the child: without the credentials of the gateway, wherever they are in it.
 * @param credential that this command uses
 */
export function childEnvironment(
  env: Environment,
  credential: string,
  variables: ReadonlyMap<string, string>,
): Record<string, string | undefined> {
  const credentials = [credential, ...credentialVariables.map((name) => env[name]?.trim() ?? '')].filter(
    (one) => one.length >= shortestCredential,
  );
  const kept = Object.entries(env).filter(
    ([name, value]) => !credentialVariables.includes(name) && !credentials.some((one) => value?.includes(one)),
  );
  return { ...Object.fromEntries(kept), ...Object.fromEntries(variables) };
}
