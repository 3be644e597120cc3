import type { AnyBulkWriteOperation, ClientSession, WriteConcernSettings } from 'mongodb';
import { unknownKid, type WrappedKey } from '../../model/envelope.ts';
import { placesAfter, positionIn, splitPosition } from '../positions.ts';
import type { Collections } from './collections.ts';
import {
  collectionOf,
  type SealedDocument,
  type SealedPlace,
  sealedPlaces,
  secretIdField,
  secretIdIn,
} from './sealed-places.ts';

/** What a rewrap reads: neither the ciphertext nor what it is bound to. */
interface WrappedKeyDocument {
  readonly _id: string;
  readonly owner: string;
  readonly sealed: {
    readonly envelope?: { readonly header?: { readonly kid?: string }; readonly encrypted_key?: string };
  };
}

/** A page of one place: of the first, from this position on, that has any. */
export async function readWrappedKeys(
  collections: Collections,
  after: string,
  { limit, ...options }: { readonly limit: number; readonly maxTimeMS: number; readonly session: ClientSession },
): Promise<WrappedKey[]> {
  for (const [place, afterId] of placesAfter(sealedPlaces, after)) {
    const found = await collectionOf(collections, place)
      .find<WrappedKeyDocument>(
        { _id: { $gt: afterId }, sealed: { $ne: null } },
        {
          ...options,
          sort: { _id: 1 },
          limit,
          batchSize: limit + 1,
          projection: {
            ...secretIdField(place),
            owner: 1,
            'sealed.envelope.header.kid': 1,
            'sealed.envelope.encrypted_key': 1,
          },
        },
      )
      .toArray();
    if (found.length > 0) return found.map((document) => wrappedKeyOf(place, document));
  }
  return [];
}

/** @returns how many were replaced */
export async function replaceWrappedKeys(
  collections: Collections,
  replacements: readonly { readonly from: WrappedKey; readonly to: WrappedKey }[],
  options: { readonly writeConcern: WriteConcernSettings; readonly maxTimeMS: number },
): Promise<number> {
  const byPlace = Map.groupBy(replacements, ({ from }) => splitPosition(from.position).place as SealedPlace);
  let replaced = 0;
  for (const [place, some] of byPlace) {
    const writes = some.map(({ from, to }): AnyBulkWriteOperation<SealedDocument> => {
      const { id } = splitPosition(from.position);
      return {
        updateOne: {
          filter: { _id: id, owner: from.owner, 'sealed.envelope.encrypted_key': from.encryptedKey },
          update: { $set: { 'sealed.envelope.header.kid': to.kid, 'sealed.envelope.encrypted_key': to.encryptedKey } },
        },
      };
    });
    replaced += (await collectionOf(collections, place).bulkWrite(writes, { ...options, ordered: false })).matchedCount;
  }
  return replaced;
}

function wrappedKeyOf(place: SealedPlace, document: WrappedKeyDocument): WrappedKey {
  const { _id, owner, sealed } = document;
  const { header, encrypted_key: encryptedKey } = sealed.envelope ?? {};
  const isWhole = header?.kid !== undefined && encryptedKey !== undefined;
  return {
    position: positionIn(place, _id),
    owner,
    secretId: secretIdIn(place, document),
    ...(isWhole ? { kid: header.kid, encryptedKey } : { kid: unknownKid, encryptedKey: '' }),
  };
}
