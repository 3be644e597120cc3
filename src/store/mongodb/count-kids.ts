import { type ClientSession, type Document, ObjectId } from 'mongodb';
import { unknownKid } from '../../model/envelope.ts';
import type { Keyed, KidCounts } from '../kid-counts.ts';
import { placesAfter, positionIn } from '../positions.ts';
import type { Collections } from './collections.ts';
import { collectionOf, sealedPlaces } from './sealed-places.ts';

type Options = { readonly limit: number; readonly maxTimeMS: number; readonly session: ClientSession };

const envelope = '$sealed.envelope';
const isWhole = { $and: [isText(`${envelope}.header.kid`), isText(`${envelope}.encrypted_key`)] };

/** What names a key wherever sealed values are kept. */
const kids = {
  envelopes: { $cond: [isWhole, `${envelope}.header.kid`, unknownKid] },
  records: '$mac.kid',
};

/** Counts the keys of one range of documents, in the order of their ids. */
export async function countKids(
  collections: Collections,
  of: Keyed,
  after: string,
  options: Options,
): Promise<KidCounts> {
  if (of === 'events') return countIn(collections.audit, '$kid', eventsAfter(after), options);
  if (of === 'digests') {
    const kid = { $ifNull: ['$sealed.digest.kid', unknownKid] };
    return countIn(collections.secrets, kid, { _id: { $gt: after }, sealed: { $ne: null } }, options);
  }
  if (of === 'apiKeys') return countIn(collections.apiKeys, '$mac.kid', { _id: { $gt: after } }, options);
  for (const [place, afterId] of placesAfter(sealedPlaces, after)) {
    const match = { _id: { $gt: afterId }, ...(of === 'envelopes' && { sealed: { $ne: null } }) };
    const { counts, last } = await countIn(collectionOf(collections, place), kids[of], match, options);
    if (last !== null) return { counts, last: positionIn(place, last) };
  }
  return { counts: new Map(), last: null };
}

async function countIn(
  collection: { aggregate: Collections['audit']['aggregate'] },
  kid: unknown,
  match: Document,
  { limit, ...options }: Options,
): Promise<KidCounts> {
  const pipeline: Document[] = [
    { $match: match },
    { $sort: { _id: 1 } },
    { $limit: limit },
    { $group: { _id: kid, count: { $sum: 1 }, last: { $max: '$_id' } } },
  ];
  const found = await collection.aggregate<{ _id: string; count: number; last: unknown }>(pipeline, options).toArray();
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
function eventsAfter(after: string): Document {
  return after === '' ? {} : { _id: { $gt: new ObjectId(after) } };
}

function isText(path: string) {
  return { $eq: [{ $type: path }, 'string'] };
}
