import type { Filter } from 'mongodb';
import type { Sealed, SealedMark } from '../../model/envelope.ts';
import { type Owner, ownerKey } from '../../model/owner.ts';
import type { SecretRecord } from '../../model/secret.ts';
import { largeEnvelope, type NamedSecrets, type SelectedSecret } from '../store.ts';
import {
  envelopeOf,
  foundFields,
  foundProjection,
  foundSecret,
  type Owned,
  ownedOf,
  readMark,
  readOwned,
  readSealed,
  type SecretDocument,
  sealedOf,
  secretRecord,
  withOwner,
  withSealed,
} from './documents.ts';
import type { Reads } from './reads.ts';
import type { RowDecoder } from './row-reader.ts';
import type { SecretOwners } from './secret-ids.ts';

/** An envelope that is large is left out; its size is measured at the server. */
interface SelectedDocument extends SecretDocument {
  readonly envelopeBytes: number;
}

/** What is no object did not come from a gateway. It is sent, and does not open. */
const bytes = {
  $cond: [{ $eq: [{ $type: '$sealed.envelope' }, 'object'] }, { $bsonSize: '$sealed.envelope' }, 0],
};
const mark = Object.fromEntries(
  ['version', 'number', 'tag', 'setAt', 'setBy'].map((field) => [field, `$sealed.${field}`]),
);
const projection = {
  ...foundFields,
  envelopeBytes: bytes,
  sealed: {
    $cond: [{ $gt: [bytes, largeEnvelope] }, mark, '$sealed'],
  },
};

interface SelectedRow extends Owned, Omit<SelectedSecret, 'secret'> {}

export const selectedSecret: RowDecoder<SelectedRow> = {
  read(row) {
    const owned = readOwned(row);
    const envelopeBytes = row.integer('envelopeBytes');
    const isLarge = envelopeBytes > largeEnvelope;
    return selectedRow(owned, row.objectOrNull('sealed', isLarge ? readMark : readSealed), envelopeBytes);
  },
  of(document) {
    const { sealed, envelopeBytes } = document as SelectedDocument;
    return selectedRow(ownedOf(document as SelectedDocument), sealed && sealedOf(sealed), envelopeBytes);
  },
};

function selectedRow(
  owned: Parameters<typeof withSealed>[0],
  sealed: (SealedMark & Partial<Sealed>) | null,
  envelopeBytes: number,
): SelectedRow {
  if (!sealed) return { ...withSealed(owned, null), envelope: null, envelopeBytes: 0 };
  const { envelope, ...mark } = sealed;
  const isLarge = envelopeBytes > largeEnvelope;
  return { ...withSealed(owned, mark), envelope: isLarge ? null : envelopeOf({ envelope }), envelopeBytes };
}

/** @throws URIError where the owner's key is damaged */
export function selectedOf({ key, secret, ...envelope }: SelectedRow): SelectedSecret {
  return { secret: withOwner({ key, secret }), ...envelope };
}

/** One command, whose server sends no more of the envelopes than `limit` times `largeEnvelope`. */
export async function select(
  reads: Reads,
  owner: Owner,
  named: NamedSecrets | null,
  limit: number,
): Promise<SelectedSecret[]> {
  const filter = filterOf(ownerKey(owner), named);
  if (!filter) return [];
  // All of an owner are in the order of the index. The others are few, and each branch has an index of its own.
  const order = named ? {} : { sort: { name: 1 } };
  const find = { find: 'secrets', filter, projection, ...order, limit, batchSize: limit + 1 };
  return (await reads.rows(find, selectedSecret)).map(selectedOf).sort(byName);
}

/** One secret of an owner, by a field with an index of its own. */
export interface NamedSecret {
  readonly owner: string;
  readonly field: 'name' | 'placeholder' | '_id';
  readonly value: string;
}

/** Null unless one secret alone is named. */
export function onlyOne(owner: string, named: NamedSecrets | null): NamedSecret | null {
  const { names, placeholders, ids } = named ?? { names: [], placeholders: [], ids: [] };
  if (names.length + placeholders.length + ids.length !== 1) return null;
  const [name, placeholder, id] = [names[0], placeholders[0], ids[0]];
  if (name !== undefined) return { owner, field: 'name', value: name };
  if (placeholder !== undefined) return { owner, field: 'placeholder', value: placeholder };
  return { owner, field: '_id', value: id ?? '' };
}

/** What several callers ask for at once, in one command. */
export async function selectEach(reads: Reads, wanted: readonly NamedSecret[]): Promise<(SelectedRow | undefined)[]> {
  const filter = { $or: wanted.map(({ owner, field, value }) => ({ owner, [field]: value })) };
  const found = await reads.rows({ find: 'secrets', filter, projection, batchSize: wanted.length + 1 }, selectedSecret);
  const keyOf = ({ owner, field, value }: NamedSecret) => JSON.stringify([owner, field, value]);
  const byKey = new Map<string, SelectedRow>();
  for (const row of found) {
    const { id, name, placeholder } = row.secret;
    const values = { name, placeholder, _id: id };
    for (const field of ['name', 'placeholder', '_id'] as const) {
      byKey.set(keyOf({ owner: row.key, field, value: values[field] }), row);
    }
  }
  return wanted.map((one) => byKey.get(keyOf(one)));
}

/** Without envelopes. */
export async function findEach(
  reads: Reads,
  owners: SecretOwners,
  ids: readonly string[],
): Promise<(Owned | undefined)[]> {
  const found = { projection: foundProjection, batchSize: ids.length + 1 };
  const byId = await owners.find(ids, (filter) => reads.rows({ find: 'secrets', filter, ...found }, foundSecret));
  return ids.map((id) => byId.get(id));
}

/** With their envelopes. */
export async function findRecordEach(
  reads: Reads,
  owners: SecretOwners,
  ids: readonly string[],
): Promise<(Owned<SecretRecord & { owner: Owner }> | undefined)[]> {
  const batchSize = ids.length + 1;
  const byId = await owners.find(ids, (filter) => reads.rows({ find: 'secrets', filter, batchSize }, secretRecord));
  return ids.map((id) => byId.get(id));
}

/** The same for several of an owner, in any order. */
export async function findRecords(reads: Reads, owner: Owner, ids: readonly string[]): Promise<SecretRecord[]> {
  const filter = { owner: ownerKey(owner), _id: { $in: ids } };
  const rows = await reads.rows({ find: 'secrets', filter, batchSize: ids.length + 1 }, secretRecord);
  return rows.map(withOwner);
}

function byName({ secret: a }: SelectedSecret, { secret: b }: SelectedSecret): number {
  return Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}

/** Null where no secret is named. */
export function filterOf(owner: string, named: NamedSecrets | null): Filter<SecretDocument> | null {
  if (!named) return { owner };
  const branches = { name: named.names, placeholder: named.placeholders, _id: named.ids };
  const some = Object.entries(branches).filter(([, values]) => values.length > 0);
  return some.length === 0 ? null : { $or: some.map(([field, values]) => ({ owner, [field]: { $in: values } })) };
}
