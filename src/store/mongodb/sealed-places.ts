import type { Collection, Document } from 'mongodb';
import type { Envelope } from '../../model/envelope.ts';
import type { Collections } from './collections.ts';

/** What the documents of each place have: a text `_id`, `owner`, `mac` and, unless there is no value, `sealed`. */
export interface SealedDocument {
  readonly _id: string;
  readonly owner: string;
  readonly mac: { readonly kid: string };
  readonly sealed: { readonly envelope: Envelope } | null;
}

/** Where sealed values are kept: the collection, and the field with the secret's id. */
const places = {
  secrets: { collection: 'secrets', secretId: '_id' },
  versions: { collection: 'secretVersions', secretId: 'secretId' },
  deleted: { collection: 'deletedSecrets', secretId: '_id' },
} as const satisfies Record<string, { readonly collection: keyof Collections; readonly secretId: string }>;

export type SealedPlace = keyof typeof places;
export const sealedPlaces = Object.keys(places) as SealedPlace[];

export function collectionOf(collections: Collections, place: SealedPlace): Collection<SealedDocument> {
  return collections[places[place].collection] as unknown as Collection<SealedDocument>;
}

export function secretIdIn(place: SealedPlace, document: Document): string {
  return String(document[places[place].secretId]);
}

/** For a projection that reads the secret's id. */
export function secretIdField(place: SealedPlace): Document {
  return { [places[place].secretId]: 1 };
}
