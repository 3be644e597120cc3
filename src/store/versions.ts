import type { Owner } from '../model/owner.ts';
import { keptValues, type SecretVersion, type VersionRecord } from '../model/secret-version.ts';

/**
 * Where an earlier value is kept: the values of a secret take the places in turn, so that each takes that of the oldest one,
 * and no more than `keptValues` are there with the current one.
 */
export function versionId({ secretId, sealed }: Pick<VersionRecord, 'secretId' | 'sealed'>): string {
  return `${secretId}/${sealed.number % (keptValues - 1)}`;
}

/**
 * The values of one secret as they are listed. What was read before the current one may have become an earlier one meanwhile:
 * that has a later version, or is there twice.
 */
export function newestFirst(versions: readonly SecretVersion[]): SecretVersion[] {
  const current = versions.find((one) => one.current);
  return versions
    .filter((one) => one === current || !current || one.version < current.version)
    .sort((a, b) => b.version - a.version)
    .slice(0, keptValues);
}

/** The values of secrets: those that they have, and the earlier ones that are kept. */
export interface VersionStore {
  /** The newest first. None for a secret that is not there, or has no value. */
  list(owner: Owner, secretId: string): Promise<SecretVersion[]>;
  /** An earlier value, by the version of the secret in which it was set; undefined where it is not kept. */
  find(owner: Owner, secretId: string, version: number): Promise<VersionRecord | undefined>;
}
