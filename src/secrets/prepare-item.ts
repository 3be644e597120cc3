import { randomUUIDv7 } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { BatchAction, BatchItem, OnConflict } from '../model/batch.ts';
import type { Owner } from '../model/owner.ts';
import type { SecretRecord, StoredSecret } from '../model/secret.ts';
import type { Warning } from '../model/warning.ts';
import type { SelectedSecret, Write } from '../store/store.ts';
import type { Dependencies } from './dependencies.ts';
import { type Author, type ChosenFields, firstVersion, type NewValue } from './first-version.ts';
import { nowhere, type Place } from './new-destination.ts';
import { type Changes, nextVersion } from './next-version.ts';

/** What a batch is to write of one item. All its fields keep the rules of the owner's secrets. */
export interface Candidate {
  readonly index: number;
  /** What it was made from: prepared writes are used again while it is the same. */
  readonly from: string;
  /** `id` is null where the gateway makes one. */
  readonly fields: Omit<ChosenFields, 'owner' | 'id'> & { readonly id: string | null };
  /** What an update sets of them. */
  readonly changes: Changes;
  /** Opens the value; null where there is none. What was opened is overwritten when it has been sealed. */
  readonly open: (() => Promise<Omit<NewValue, 'destination'>>) | null;
  /** Where the value may be sent once it is that of this secret; null: of a new one. Not asked where there is no value. */
  readonly placeOf: (stored: StoredSecret | null) => Place;
  /** Of the value, about. */
  readonly bytes: number;
  readonly warnings: readonly Warning[];
  /** Written with it, unless nothing is written of it. */
  readonly beside?: Write;
}

/** What becomes of an item. */
export interface PreparedItem {
  readonly item: BatchItem;
  readonly writes: readonly Write[];
  /** The stored secret, where nothing is written to it. */
  readonly unchanged?: StoredSecret;
}

export interface BatchRules {
  readonly owner: Owner;
  readonly onConflict: OnConflict;
  /** Nothing is sealed or written then. */
  readonly dryRun: boolean;
}

/** Whether every field but the value stays as it is. */
export function isUnchanged({ changes, open, placeOf }: Candidate, stored: StoredSecret): boolean {
  const destination = open ? placeOf(stored).destination : stored.destination;
  return isDeepStrictEqual({ ...stored, ...changes, destination }, stored);
}

/** @param same whether the caller may know that the value is the stored one already, and it is */
export function actionOf(
  candidate: Candidate,
  stored: SelectedSecret | undefined,
  same: boolean,
  { onConflict }: BatchRules,
): BatchAction {
  if (!stored) return 'created';
  if (onConflict === 'skip') return 'skipped';
  return (candidate.open === null || same) && isUnchanged(candidate, stored.secret) ? 'unchanged' : 'updated';
}

/** The item as it will be, and its writes. @param record the stored secret with the value that another replaces */
export async function prepareItem(
  candidate: Candidate,
  action: BatchAction,
  stored: StoredSecret | null,
  record: SecretRecord | null,
  { owner, dryRun }: BatchRules,
  author: Author,
  dependencies: Dependencies,
): Promise<PreparedItem> {
  const { index, fields, changes, open, placeOf, beside } = candidate;
  const isWritten = action === 'created' || action === 'updated';
  const place = isWritten && open ? placeOf(stored) : nowhere;
  const item = { index, action, secret: stored, warnings: [...candidate.warnings, ...place.warnings] };
  if (!isWritten || dryRun) return { item, writes: [], ...(stored && !isWritten && { unchanged: stored }) };
  const value = open && { ...(await open()), destination: place.destination };
  const chosen = { ...fields, owner, id: fields.id ?? randomUUIDv7() };
  const { secret, write } = stored
    ? nextVersion(stored, record, changes, value, author, dependencies)
    : firstVersion(chosen, value, author, dependencies);
  if (value && typeof value.value !== 'string') value.value.fill(0);
  return { item: { ...item, secret }, writes: beside ? [write, beside] : [write] };
}
