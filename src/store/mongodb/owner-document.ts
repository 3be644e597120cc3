import { Long } from 'mongodb';
import type { ChainState } from '../audit.ts';

export interface OwnerDocument {
  readonly _id: string;
  readonly count: number;
  /** One more with every commit: a commit is made only on the revision that it read. */
  readonly revision: number;
  readonly auditSequence: number;
  readonly auditHash: string;
  readonly auditLatestAt: Date;
  /** May be beyond 32 bits, so that the driver makes a double of it where it is not an Int32 or a Long. */
  readonly auditMaxLagMs: number | Long;
}

export function chainOf({ auditSequence, auditHash, auditLatestAt, auditMaxLagMs }: OwnerDocument): ChainState {
  const head = { sequence: auditSequence, hash: auditHash };
  return { head, latestAt: auditLatestAt, maxLagMs: Number(auditMaxLagMs) };
}

export function chainFields({
  head,
  latestAt,
  maxLagMs,
}: ChainState): Omit<OwnerDocument, '_id' | 'count' | 'revision'> {
  const { sequence, hash } = head;
  const auditMaxLagMs = Long.fromNumber(maxLagMs);
  return { auditSequence: sequence, auditHash: hash, auditLatestAt: latestAt, auditMaxLagMs };
}
