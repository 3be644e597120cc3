/**
 * What names the key that it needs: the envelope of a value and the MAC of its record, wherever values are kept, the MAC of an
 * API key, the hash of an audit event, the digest of a current value.
 */
export type Keyed = 'envelopes' | 'records' | 'apiKeys' | 'events' | 'digests';

/** How many of a range need each key. */
export interface KidCounts {
  /** By `kid`; damaged envelopes, and values without a digest, are under `unknownKid`. */
  readonly counts: ReadonlyMap<string, number>;
  /** Where the range ends, for the next one; null when there was nothing in it. */
  readonly last: string | null;
}
