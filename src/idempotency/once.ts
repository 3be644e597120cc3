import { setImmediate } from 'node:timers/promises';
import { type CallDigests, digestsOfCall, idOfPart, macOfResult, requireGenuineResult } from '../crypto/idempotency.ts';
import type { Keyring } from '../crypto/keyring.ts';
import { DomainError } from '../errors.ts';
import { authenticated } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import { type KeptResult, keptResultMs } from '../model/kept-result.ts';
import { actorKey, actorOf } from '../model/principal.ts';
import type { Secret, StoredSecret } from '../model/secret.ts';
import type { FieldErrors } from '../rules/field-errors.ts';
import { type Store, StoreConflict, type Write } from '../store/store.ts';
import { type Kept, keptSecret } from './kept.ts';

export interface IdempotencyDependencies {
  readonly store: Store;
  /** The keyring as it is now. */
  readonly keyring: () => Keyring;
  readonly now: () => Date;
  /** The ids of calls that run in this process. */
  readonly running: Set<string>;
}

export interface IdempotentInput {
  readonly idempotencyKey?: string | null | undefined;
}

/** A call as its caller made it. */
export interface Call {
  readonly mutation: string;
  readonly input: IdempotentInput;
  /** What is known to be wrong with the input. An idempotency key that breaks its rule is added. */
  readonly errors: FieldErrors;
}

/**
 * Makes the writes of a call durable, and what is kept of its result with them. There may be no writes.
 * @param unchanged the secrets that the result tells of, and that nothing is written to
 */
export type Commit<T> = (writes: readonly Write[], result: T, unchanged?: readonly StoredSecret[]) => Promise<void>;

const maxKeyCharacters = 255;

/**
 * Makes a mutation that may have an idempotency key. The same call again gets its first result, and writes nothing. The
 * operation must have been authorised.
 * @param kept what is kept of the result; null where nothing is, and the same call again is made again
 * @param run makes the call. It commits once, also where nothing is to be written
 * @throws DomainError CONFLICT_ERROR while the first call runs, UNPROCESSABLE_ENTITY for another mutation or input, and what
 * `run` throws
 */
export function once<T>(
  dependencies: IdempotencyDependencies,
  caller: Caller,
  call: Call,
  kept: Kept<T> | null,
  run: (commit: Commit<T>) => Promise<T>,
): Promise<T> {
  const { input, errors } = call;
  const { idempotencyKey } = input;
  if (idempotencyKey != null) checkKey(idempotencyKey, errors.at('idempotencyKey'));
  if (idempotencyKey == null || errors.any) return run(commitTo(dependencies));
  return onceByKey(dependencies, caller, { ...call, idempotencyKey }, kept, run);
}

function commitTo({ store }: IdempotencyDependencies): Commit<unknown> {
  return (writes) => (writes.length > 0 ? store.commit(writes) : Promise.resolve());
}

async function onceByKey<T>(
  dependencies: IdempotencyDependencies,
  caller: Caller,
  { mutation, input, idempotencyKey }: Call & { readonly idempotencyKey: string },
  kept: Kept<T> | null,
  run: (commit: Commit<T>) => Promise<T>,
): Promise<T> {
  const { store, keyring, now, running } = dependencies;

  const principal = actorKey(actorOf(authenticated(caller)));
  const calls = digestsOfCall(principal, idempotencyKey, mutation, canonical(input), keyring());

  const first = await findKept(dependencies, calls);
  if (first) return again(first);
  if (calls.some(({ id }) => running.has(id))) throw inUse();
  for (const { id } of calls) running.add(id);
  try {
    return await run(async (writes, result, unchanged = []) => {
      const keptUntil = new Date(now().getTime() + keptResultMs);
      const unwritten = new Map(unchanged.map((secret) => [secret.id, secret]));
      const keep = calls.flatMap((call, index) =>
        newResults(call, kept, result, keptUntil).map((record): Write => {
          const secret = index === 0 && record.secretId !== null && unwritten.get(record.secretId);
          return { type: 'keepResult', kept: record, ...(secret && { unchanged: secret }) };
        }),
      );
      await store.commit([...writes, ...keep]).catch((error: unknown) => {
        throw error instanceof StoreConflict && error.on === 'idempotency' ? new KeptBefore('kept before') : error;
      });
    });
  } catch (error) {
    // The first call may have been made by another gateway meanwhile, or by this one, which was not told of it.
    const made = await findKept(dependencies, calls).catch(() => undefined);
    if (made) return await again(made);
    throw error instanceof KeptBefore ? inUse() : error;
  } finally {
    for (const { id } of calls) running.delete(id);
  }

  async function again({ call, result: text, isSameInput }: Found): Promise<T> {
    if (!isSameInput) throw reused();
    if (!kept || text === null) return run(commitTo(dependencies));
    const value = JSON.parse(text, reviveDates) as never;
    const result = kept.read(value, await keptSecrets(dependencies, call, kept.secrets?.count(value) ?? 0));
    kept.authorize(result, authenticated(caller), caller);
    return result;
  }
}

interface Found extends Pick<KeptResult, 'result'> {
  readonly call: CallDigests;
  readonly isSameInput: boolean;
}

/** Under whichever key it is. One that was kept before a rotation is under the key of then alone. */
async function findKept(
  { store, now }: IdempotencyDependencies,
  calls: readonly CallDigests[],
): Promise<Found | undefined> {
  for (const call of calls) {
    const { key, principal, id, input } = call;
    const [found] = await store.keptResults(principal, [id]);
    if (!found || found.keptUntil <= now()) continue;
    requireGenuineResult(found, key);
    return { call, result: found.result, isSameInput: found.input === input() };
  }
  return undefined;
}

/** Kept secrets that are checked and parsed in one tick of the event loop. */
const secretsAtOnce = 50;

/** The secrets that were kept beside a result; null for each that was purged. */
async function keptSecrets(
  { store }: IdempotencyDependencies,
  call: CallDigests,
  count: number,
): Promise<(Secret | null)[]> {
  const ids = Array.from({ length: count }, (_, position) => idOfPart(call, position));
  const found = new Map((await store.keptResults(call.principal, ids)).map((part) => [part.id, part]));
  const secrets: (Secret | null)[] = [];
  for (const [position, id] of ids.entries()) {
    if (position % secretsAtOnce === 0) await setImmediate();
    const part = found.get(id);
    if (part) requireGenuineResult(part, call.key);
    secrets.push(part?.result ? keptSecret.read(JSON.parse(part.result, reviveDates) as never, []) : null);
  }
  return secrets;
}

/** What is kept of a result, and of each secret that is kept by itself. */
function newResults<T>(call: CallDigests, kept: Kept<T> | null, result: T, keptUntil: Date): KeptResult[] {
  const { key, principal } = call;
  const input = call.input();
  const record = (id: string, secretId: string | null, told: object | null): KeptResult => {
    const text = told && JSON.stringify(withDates(told));
    const fields = { id, principal, input, secretId, result: text, keptUntil };
    return { ...fields, mac: macOfResult(fields, key) };
  };
  const secrets = kept?.secrets?.of(result) ?? [];
  return [
    record(call.id, kept?.secretIdOf(result) ?? null, kept?.keep(result) ?? null),
    ...secrets.map((secret, position) => record(idOfPart(call, position), secret.id, keptSecret.keep(secret))),
  ];
}

/** Another call with the same idempotency key was written first. Operations do not try again then, as they do after other conflicts. */
class KeptBefore extends Error {
  override readonly name = 'KeptBefore';
}

function checkKey(key: string, errors: FieldErrors): void {
  const { length } = key.length > 2 * maxKeyCharacters ? key : [...key];
  if (length === 0) errors.add('required', 'Must not be empty.');
  else if (length > maxKeyCharacters) errors.add('too_long', `Must have at most ${maxKeyCharacters} characters.`);
  else if (!key.isWellFormed()) errors.add('ill_formed', 'Must be well-formed Unicode.');
}

/** Which fields a client wants to see is not in it, and neither is the key. */
const notOfInput: ReadonlySet<string> = new Set(['idempotencyKey', 'reads', 'lists']);

/** Equal for equal inputs, whatever the order of their members. */
function canonical(input: object): string {
  const own = Object.entries(input).filter(([name]) => !notOfInput.has(name));
  return JSON.stringify(Object.fromEntries(own), (_name, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

const dateMember = '$date';

function withDates(value: unknown): unknown {
  if (value instanceof Date) return { [dateMember]: value.getTime() };
  if (Array.isArray(value)) return value.map(withDates);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withDates(member)]));
}

function reviveDates(_name: string, value: unknown): unknown {
  const ms = value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[dateMember] : undefined;
  return typeof ms === 'number' ? new Date(ms) : value;
}

function inUse(): DomainError {
  return new DomainError('CONFLICT_ERROR', {
    description: 'The first request with this idempotency key is still running. Send it again in a moment.',
    retryAfterSeconds: 1,
    errors: [refusedKey('idempotency_key_in_use', 'Its first request is still running.')],
  });
}

function reused(): DomainError {
  return new DomainError('UNPROCESSABLE_ENTITY', {
    description:
      'The idempotency key was used for another request. Choose a new one for each request, and keep it for retries of that request.',
    errors: [refusedKey('idempotency_key_reused', 'Was used with another mutation or another input.')],
  });
}

function refusedKey(type: string, message: string) {
  return { field: 'idempotencyKey', loc: ['idempotencyKey'], message, type };
}
