import type { ClientSession, Collection, Filter } from 'mongodb';
import { type Owner, ownerKey } from '../../model/owner.ts';
import { largeEnvelope, type NamedSecrets, type SelectedSecret } from '../store.ts';
import {
  type FoundDocument,
  foundFields,
  foundProjection,
  recordOf,
  type SecretDocument,
  secretOf,
} from './documents.ts';
import type { SecretOwners } from './secret-ids.ts';

/** An envelope that is large is left out; its size is measured at the server. */
interface SelectedDocument extends SecretDocument {
  readonly envelopeBytes: number;
}

/** What is no object did not come from a gateway. It is sent, and does not open. */
const bytes = {
  $cond: [{ $eq: [{ $type: '$sealed.envelope' }, 'object'] }, { $bsonSize: '$sealed.envelope' }, 0],
};
const projection = {
  ...foundFields,
  envelopeBytes: bytes,
  sealed: {
    $cond: [{ $gt: [bytes, largeEnvelope] }, { version: '$sealed.version', tag: '$sealed.tag' }, '$sealed'],
  },
};

/** One command, whose server sends no more of the envelopes than `limit` times `largeEnvelope`. */
export async function select(
  secrets: Collection<SecretDocument>,
  owner: Owner,
  named: NamedSecrets | null,
  options: { readonly limit: number; readonly maxTimeMS: number; readonly session: ClientSession },
): Promise<SelectedSecret[]> {
  const filter = filterOf(ownerKey(owner), named);
  if (!filter) return [];
  // All of an owner are in the order of the index. The others are few, and each branch has an index of its own.
  const order = named ? {} : { sort: { name: 1 } as const };
  const found = secrets.find<SelectedDocument>(filter, {
    ...options,
    ...order,
    projection,
    batchSize: options.limit + 1,
  });
  return (await found.toArray()).map(selectedOf).sort(byName);
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
export async function selectEach(
  secrets: Collection<SecretDocument>,
  wanted: readonly NamedSecret[],
  options: { readonly maxTimeMS: number; readonly session: ClientSession },
): Promise<(SelectedSecret | undefined)[]> {
  const filter = { $or: wanted.map(({ owner, field, value }) => ({ owner, [field]: value })) };
  const batchSize = wanted.length + 1;
  const found = await secrets.find<SelectedDocument>(filter, { ...options, projection, batchSize }).toArray();
  const keyOf = ({ owner, field, value }: NamedSecret) => JSON.stringify([owner, field, value]);
  const byKey = new Map<string, SelectedSecret>();
  for (const document of found) {
    const selected = selectedOf(document);
    for (const field of ['name', 'placeholder', '_id'] as const) {
      byKey.set(keyOf({ owner: document.owner, field, value: document[field] }), selected);
    }
  }
  return wanted.map((one) => byKey.get(keyOf(one)));
}

/** Without envelopes. */
export async function findEach(
  secrets: Collection<SecretDocument>,
  owners: SecretOwners,
  ids: readonly string[],
  options: { readonly maxTimeMS: number; readonly session: ClientSession },
): Promise<(FoundDocument | undefined)[]> {
  const found = { ...options, projection: foundProjection, batchSize: ids.length + 1 };
  const byId = await owners.find(ids, options, (filter) => secrets.find<FoundDocument>(filter, found).toArray());
  return ids.map((id) => byId.get(id));
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

function selectedOf(document: SelectedDocument): SelectedSecret {
  const { sealed, envelopeBytes } = document;
  if (!sealed) return { secret: secretOf(document), envelope: null, envelopeBytes: 0 };
  const { version, tag } = sealed;
  return {
    secret: { ...secretOf(document), sealed: { version, tag } },
    envelope: envelopeBytes > largeEnvelope ? null : (recordOf(document).sealed?.envelope ?? null),
    envelopeBytes,
  };
}
