import { ConfigurationError } from '../errors.ts';
import { didYouMean, nearestWords } from './spelling.ts';

// How one setting is read. Every error names the variable, and never repeats its value.

export type Environment = Readonly<Record<string, string | undefined>>;

export function text(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim() || undefined;
  if (value !== undefined) refuseShellSyntax(name, value);
  return value;
}

/** `docker run --env-file` and Kubernetes keep the quotes and comments that a shell would remove. */
export function refuseShellSyntax(what: string, value: string): void {
  if (/^["'`“‘]|["'`”’]$/.test(value)) {
    throw new ConfigurationError(`${what} is in quotes, which count as a part of it. Leave the quotes out.`);
  }
  if (/\s#/.test(value)) {
    throw new ConfigurationError(
      `${what} has a comment behind it, which counts as a part of it. Leave the comment out.`,
    );
  }
}

/** A file's path. Whoever puts the content itself there would read it again in the next error. */
export function path(env: Environment, name: string): string | undefined {
  const value = text(env, name);
  if (value === undefined || !/^[[{]|^-----|^[a-z][a-z+.-]*:\/\/|\p{Cc}/iu.test(value)) return value;
  throw new ConfigurationError(`${name} must be the path of a file, not a URL or what is in the file.`);
}

export function integer(env: Environment, name: string, fallback: number, min: number, max: number): number {
  const value = text(env, name);
  if (value === undefined) return fallback;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new ConfigurationError(`${name} must be a whole number from ${min} to ${max}.`);
}

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 24 * 3600 };

/** @returns NaN for what is no time */
export function secondsIn(value: string): number {
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(value) ?? [];
  return Number(count) * (secondsOf[unit] ?? 1);
}

/** @param max the longest time that is accepted, as it is written */
export function seconds(env: Environment, name: string, fallback: string, max: string): number {
  const value = secondsIn(text(env, name) ?? fallback);
  if (value >= 1 && value <= secondsIn(max)) return value;
  throw new ConfigurationError(`${name} must be a time from 1s to ${max}, in s, m, h or d, such as ${fallback}.`);
}

const on = ['on', 'true', 'yes', '1', 'y', 't', 'enable', 'enabled'];
const off = ['off', 'false', 'no', '0', 'n', 'f', 'disable', 'disabled', 'none', 'never'];

export function isOn(env: Environment, name: string, fallback: boolean): boolean {
  return oneOf(env, name, ['on', 'off'], fallback ? 'on' : 'off', { on, off }) === 'on';
}

/** @param meaning what people write elsewhere for a value; it is refused, and the value named */
export function oneOf<const T extends string>(
  env: Environment,
  name: string,
  values: readonly T[],
  fallback: NoInfer<T>,
  meaning: Readonly<Record<string, readonly string[]>> = {},
): T {
  const value = text(env, name)?.toLowerCase();
  if (value === undefined) return fallback;
  const known = values.find((candidate) => candidate === value);
  if (known) return known;
  const meant = values.filter((candidate) => meaning[candidate]?.includes(value));
  const near = meant.length > 0 ? meant : nearestWords(value, values);
  throw new ConfigurationError(`${name} must be one of: ${values.join(', ')}.${didYouMean(near)}`);
}
