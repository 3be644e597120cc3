import { createHash, createPrivateKey, createPublicKey, createSecretKey } from 'node:crypto';
import type { JWK } from 'jose';
import { ConfigurationError } from '../errors.ts';
import { repeatedMember } from '../runtime/repeated-member.ts';
import { isCanonicalBase64url } from './base64url.ts';
import { format, type KeyKind, type KeyringEntry, kinds } from './key-kinds.ts';
import {
  type EqualityKey,
  type Key,
  type KeyGroup,
  type Keyring,
  type MacKey,
  type SealCurve,
  type SealKey,
  sealOverlapMs,
  statesOf,
  type WrapKey,
} from './keyring.ts';

/** What is wrong with a file, and the fix. */
class Fault extends Error {
  readonly fix: string;

  constructor(what: string, fix: string) {
    super(what);
    this.fix = fix;
  }
}

/**
 * Reads the text of a keyring file.
 * @param path for the error
 * @throws ConfigurationError that names the file and the fix, and never the content
 */
export async function parseKeyring(text: string, path: string): Promise<Keyring> {
  try {
    const all = new Map<string, { readonly kind: KeyKind; readonly key: Key }>();
    for (const [index, jwk] of entriesOf(text).entries()) {
      const at = `key ${index + 1}`;
      const { kind, common } = describe(jwk, at);
      if (all.has(common.kid)) throw new Fault(`${at} repeats a "kid"`, 'Give every key a "kid" of its own.');
      all.set(common.kid, { kind, key: await imported(kind, jwk, common, at) });
    }
    const group = <K extends Key>(kind: KeyKind): KeyGroup<K> => {
      const keys = [...all.values()].flatMap((one) => (one.kind === kind ? [one.key as K] : []));
      return groupOf(keys, kind);
    };
    return {
      wrap: group<WrapKey>('wrap'),
      mac: group<MacKey>('mac'),
      equality: group<EqualityKey>('equality'),
      seal: { X25519: group<SealKey>('X25519'), 'P-256': group<SealKey>('P-256') },
      all: new Map([...all].map(([kid, { key }]) => [kid, key])),
    };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new ConfigurationError(`KEYRING_FILE ${path}: ${error.message}. ${error.fix}`);
  }
}

function entriesOf(text: string): readonly unknown[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw new Fault('it is not valid JSON', 'Restore it from its backup.');
  }
  refuseRepeated(text);
  if (!isRecord(file) || !Array.isArray(file.keys) || file.keys.length === 0) {
    throw new Fault('it holds no "keys" list', 'Restore it from its backup.');
  }
  if (file.format === undefined || file.format === 1) {
    throw new Fault(
      'it has format 1, from before the first release, whose values cannot be carried over',
      'Move it away, together with the database that it belongs to. The gateway then makes new ones.',
    );
  }
  if (file.format !== format) {
    throw new Fault(
      `its "format" is not ${format}, the one that this gateway knows`,
      'Run the newer gateway again, or restore the file from its backup.',
    );
  }
  return file.keys;
}

/** Of two states or keys, who reads the file could see the one that does not count. */
function refuseRepeated(text: string): void {
  const path = repeatedMember(text);
  if (path === null) return;
  const [list, index] = path;
  const at = list === 'keys' && typeof index === 'number' ? `key ${index + 1}` : 'it';
  const name = String(path.at(-1));
  // Whatever is no name may be a key that was put into the wrong place.
  const what = /^\w{1,16}$/.test(name) ? `"${name}"` : 'a member';
  throw new Fault(`${at} has ${what} twice`, 'Leave the right one, or restore the file from its backup.');
}

type Common = Omit<Key, 'fingerprint'>;

function describe(jwk: unknown, at: string): { kind: KeyKind; common: Common } {
  if (!isRecord(jwk)) throw new Fault(`${at} is not an object`, 'Write it as a JWK.');
  const { use, kid, state } = jwk;
  const ofUse = Object.entries(kinds).filter(([, one]) => one.use === use);
  if (ofUse.length === 0) {
    throw new Fault(`${at} has no known "use"`, `Set it to one of ${Object.keys(statesOf).join(', ')}.`);
  }
  const [found] = ofUse.find(([, one]) => Object.entries(one.jwk).every(([name, value]) => jwk[name] === value)) ?? [];
  if (found === undefined) {
    const wanted = ofUse.map(([, one]) => JSON.stringify(one.jwk)).join(' or ');
    throw new Fault(`${at} is of another type than its "use" needs`, `It needs the members ${wanted}.`);
  }
  if (typeof kid !== 'string' || !/^[\w.-]{1,64}$/.test(kid)) {
    throw new Fault(`${at} has no usable "kid"`, 'Name it with 1 to 64 letters, digits, dots, dashes or underscores.');
  }
  const kind = found as KeyKind;
  const states = statesOf[kinds[kind].use];
  const known = states.find((one) => one === state);
  if (!known) throw new Fault(`${at} has no known "state"`, `Set it to one of ${states.join(', ')}.`);
  return { kind, common: { use: kinds[kind].use, kid, state: known, createdAt: timeOf(jwk.createdAt) } };
}

async function imported(kind: KeyKind, jwk: unknown, common: Common, at: string): Promise<Key> {
  const parts = isRecord(jwk) ? kinds[kind].bytes.map((name) => bytesOf(jwk[name])) : [];
  const [first] = parts;
  if (!first || parts.some((bytes) => bytes.length !== 32)) {
    throw new Fault(`${at} is not 32 bytes of base64url`, 'Restore it from its backup.');
  }
  const secret = parts.at(-1) ?? first;
  const key = { ...common, fingerprint: createHash('sha256').update(secret).digest('hex') };
  switch (kind) {
    case 'wrap': {
      const wrapKey: WrapKey = { ...key, key: createSecretKey(first) };
      return wrapKey;
    }
    case 'mac': {
      const mark = createHash('sha256').update(key.kid).digest().subarray(0, 4);
      const macKey: MacKey = { ...key, key: createSecretKey(first), mark };
      return macKey;
    }
    case 'equality': {
      const replacedAt = key.state === 'previous' ? replacedAtOf(jwk as KeyringEntry, at) : null;
      const equalityKey: EqualityKey = { ...key, key: createSecretKey(first), replacedAt };
      return equalityKey;
    }
    default: {
      const sealKey: SealKey = {
        ...key,
        curve: kind,
        ...pairOf(kind, jwk as JWK, key.kid, at),
        opensUntil: key.state === 'decrypting' ? opensUntil(jwk as KeyringEntry, at) : null,
      };
      return sealKey;
    }
  }
}

/** Of a pair whose halves do not belong together, clients would seal to a key that nobody can open with. */
function pairOf(
  curve: SealCurve,
  { x, y, d }: JWK,
  kid: string,
  at: string,
): Pick<SealKey, 'privateKey' | 'publicJwk'> {
  const { kty, crv, alg } = kinds[curve].jwk;
  const numbers = { kty, crv, ...(x !== undefined && { x }), ...(y !== undefined && { y }) };
  try {
    const privateKey = createPrivateKey({ key: { ...numbers, ...(d !== undefined && { d }) }, format: 'jwk' });
    const told = createPublicKey(privateKey).export({ format: 'jwk' });
    if (told.x === x && told.y === y) return { privateKey, publicJwk: { ...numbers, use: 'enc', alg, kid } };
  } catch {
    // Its message could quote the key.
  }
  throw new Fault(`${at} is not a ${curve} pair`, 'Restore it from its backup.');
}

function opensUntil({ replacedAt }: KeyringEntry, at: string): Date {
  const replaced = timeOf(replacedAt);
  if (replaced) return new Date(replaced.getTime() + sealOverlapMs);
  throw new Fault(
    `${at} is decrypting, and its "replacedAt" is no time`,
    'Set it to when the key was replaced, such as 2026-04-15T12:00:00Z, or remove the key: what was sealed to it is then refused.',
  );
}

function replacedAtOf({ replacedAt }: KeyringEntry, at: string): Date {
  const replaced = timeOf(replacedAt);
  if (replaced) return replaced;
  throw new Fault(
    `${at} is previous, and its "replacedAt" is no time`,
    'Set it to when the key was replaced, such as 2026-04-15T12:00:00Z.',
  );
}

/** Whether it is a sealing key that was replaced too long ago to open anything. */
export function hasExpired({ use, state, replacedAt }: KeyringEntry, now: Date): boolean {
  const replaced = use === 'seal' && state === 'decrypting' ? timeOf(replacedAt) : null;
  return replaced !== null && replaced.getTime() + sealOverlapMs <= now.getTime();
}

function groupOf<K extends Key>(keys: readonly K[], kind: KeyKind): KeyGroup<K> {
  const [active, ...others] = keys.filter(({ state }) => state === 'active');
  if (!active || others.length > 0) {
    const { use } = kinds[kind];
    const named = use === 'seal' ? `${kind} keys of "use" "seal"` : `keys of "use" "${use}"`;
    throw new Fault(
      `${others.length + (active ? 1 : 0)} ${named} are active`,
      'Leave exactly one with "state" "active", or restore the file from its backup.',
    );
  }
  return { active, keys: new Map(keys.map((key) => [key.kid, key])) };
}

function bytesOf(value: unknown): Buffer<ArrayBuffer> {
  return typeof value === 'string' && isCanonicalBase64url(value) ? Buffer.from(value, 'base64url') : Buffer.alloc(0);
}

function timeOf(value: unknown): Date | null {
  const time = typeof value === 'string' ? new Date(value) : null;
  return time && Number.isFinite(time.getTime()) ? time : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
