import { type ClientSession, type Document, ObjectId } from 'mongodb';
import { unknownKid } from '../../model/envelope.ts';
import type { Keyed, KidCounts } from '../store.ts';
import type { Collections } from './documents.ts';

const envelope = '$sealed.envelope';
const isWhole = { $and: [isText(`${envelope}.header.kid`), isText(`${envelope}.encrypted_key`)] };

/** What names a key, and where. */
const kids = {
  envelopes: { collection: 'secrets', kid: { $cond: [isWhole, `${envelope}.header.kid`, unknownKid] } },
  records: { collection: 'secrets', kid: '$mac.kid' },
  apiKeys: { collection: 'apiKeys', kid: '$mac.kid' },
  events: { collection: 'audit', kid: '$kid' },
} as const satisfies Record<Keyed, { collection: keyof Collections; kid: unknown }>;

/** Counts the keys of one range of documents, in the order of their ids. */
export async function countKids(
  collections: Collections,
  of: Keyed,
  after: string,
  { limit, ...options }: { readonly limit: number; readonly maxTimeMS: number; readonly session: ClientSession },
): Promise<KidCounts> {
  const { collection, kid } = kids[of];
  const pipeline: Document[] = [
    { $match: { ...idAfter(of, after), ...(of === 'envelopes' && { sealed: { $ne: null } }) } },
    { $sort: { _id: 1 } },
    { $limit: limit },
    { $group: { _id: kid, count: { $sum: 1 }, last: { $max: '$_id' } } },
  ];
  const found = await collections[collection]
    .aggregate<{ _id: string; count: number; last: unknown }>(pipeline, options)
    .toArray();
  return {
    counts: new Map(found.map(({ _id, count }) => [_id, count])),
    last:
      found
        .map(({ last }) => String(last))
        .sort()
        .at(-1) ?? null,
  };
}

/** An event's `_id` is an ObjectId, whose text in hex has the order of its bytes. */
function idAfter(of: Keyed, after: string): Document {
  if (of === 'events') return after === '' ? {} : { _id: { $gt: new ObjectId(after) } };
  return { _id: { $gt: after } };
}

function isText(path: string) {
  return { $eq: [{ $type: path }, 'string'] };
}
