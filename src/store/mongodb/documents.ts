import type { UpdateFilter } from 'mongodb';
import type { Destination } from '../../model/destination.ts';
import type { Envelope, Sealed, SealedMark, ValueDigest } from '../../model/envelope.ts';
import { type Owner, ownerKey, ownerOfKey } from '../../model/owner.ts';
import { actorKey, actorOfKey } from '../../model/principal.ts';
import type { RecordMac, Secret, SecretRecord, StoredSecret } from '../../model/secret.ts';
import type { SecretHealth } from '../../model/secret-health.ts';
import { destinationOfText, destinationText } from '../destination-text.ts';
import { healthDocumentOf, healthOf, readHealth } from './health-document.ts';
import { lastUsedFields } from './last-used.ts';
import type { RowDecoder, RowReader } from './row-reader.ts';

/** Null where the document has no such field. */
type Optional = Pick<Secret, 'expiresAt' | 'destination' | 'lastUsedAt' | 'health'>;

/**
 * The fields of a secret beside its id and its owner, which are stored as other types, and what is there only where it is set.
 * Actors are stored as their keys.
 */
interface SecretFields extends Omit<Secret, 'id' | 'owner' | 'createdBy' | 'updatedBy' | keyof Optional> {
  readonly createdBy: string;
  readonly updatedBy: string;
}

/** One line for each field of a secret. A migration says which type each has in the database (validators.ts). */
const secretFields: { readonly [field in keyof SecretFields]: true } = {
  name: true,
  placeholder: true,
  provider: true,
  notes: true,
  tags: true,
  maskedValue: true,
  version: true,
  createdAt: true,
  updatedAt: true,
  createdBy: true,
  updatedBy: true,
};
const fieldNames = Object.keys(secretFields) as (keyof SecretFields)[];

/** A secret whose owner is filled in by who knows it. */
export type ListedSecret = Omit<Secret, 'owner'> & { owner: Owner };

const nobody: Owner = { type: 'user', userId: '' };

/** A secret of a list, from what follows the id on. */
export function readListedSecret(id: string, row: RowReader): ListedSecret {
  const secret = readFields(id, row);
  readOptional(row, secret);
  return secret;
}

/** One line for each field, in the order in which `documentOf` writes them. */
function readFields(id: string, row: RowReader): ListedSecret {
  return {
    id,
    owner: nobody,
    name: row.text('name'),
    placeholder: row.text('placeholder'),
    provider: row.textOrNull('provider'),
    notes: row.textOrNull('notes'),
    tags: row.texts('tags'),
    maskedValue: row.textOrNull('maskedValue'),
    version: row.integer('version'),
    createdAt: row.date('createdAt'),
    updatedAt: row.date('updatedAt'),
    createdBy: actorOfKey(row.text('createdBy')),
    updatedBy: actorOfKey(row.text('updatedBy')),
    expiresAt: null,
    destination: null,
    lastUsedAt: null,
    health: null,
  };
}

/** They come last, and in any order: an update adds one to a document that had none. */
function readOptional(row: RowReader, secret: { -readonly [field in keyof Optional]: Optional[field] }): void {
  for (;;) {
    if (row.isNext('expiresAt')) secret.expiresAt = row.date('expiresAt');
    else if (row.isNext('destination')) secret.destination = destinationOfText(row.text('destination'));
    else if (row.isNext('lastUsedAt')) secret.lastUsedAt = row.date('lastUsedAt');
    else if (row.isNext('lastUsedDay')) row.date('lastUsedDay');
    else if (row.isNext('health')) secret.health = row.object('health', readHealth);
    else return;
  }
}

/**
 * A secret and the key of its owner. The key is read for each caller alone: one that is damaged throws, and must not fail the
 * others whose secrets came with the same command.
 */
export interface Owned<S extends { owner: Owner } = StoredSecret & { owner: Owner }> {
  readonly key: string;
  readonly secret: S;
}

/** @throws URIError where the key is damaged */
export function withOwner<S extends { owner: Owner }>({ key, secret }: Owned<S>): S {
  secret.owner = ownerOfKey(key);
  return secret;
}

/** Up to what the row has of the value. Where that is computed, what is optional comes before it. */
export function readOwned(row: RowReader): Owned<ListedSecret & { mac: RecordMac }> {
  const secret = readFields(row.text('_id'), row);
  const key = row.text('owner');
  const mac = row.object('mac', readMac);
  readOptional(row, secret);
  return { key, secret: Object.assign(secret, { mac }) };
}

/** What a whole row has behind its value. */
export function readRest<S extends Owned<ListedSecret>>(row: RowReader, owned: S): S {
  readOptional(row, owned.secret);
  return owned;
}

export function readMac(row: RowReader): RecordMac {
  return { kid: row.text('kid'), tag: row.text('tag') };
}

export function readMark(row: RowReader): SealedMark {
  return {
    version: row.integer('version'),
    number: row.integer('number'),
    tag: row.text('tag'),
    setAt: row.date('setAt'),
    setBy: actorOfKey(row.text('setBy')),
  };
}

export function readSealed(row: RowReader): Sealed {
  const sealed = Object.assign(readMark(row), { envelope: row.object('envelope', readEnvelope) });
  // What reads values has no use for it.
  if (row.isNext('digest')) row.object('digest', readDigest);
  return sealed;
}

export function readDigest(row: RowReader): ValueDigest {
  return { kid: row.text('kid'), digest: row.text('digest'), mac: row.text('mac') };
}

function readEnvelope(row: RowReader): Envelope {
  return {
    protected: row.text('protected'),
    header: row.object('header', (header) => ({ alg: header.text('alg'), kid: header.text('kid') })),
    encrypted_key: row.text('encrypted_key'),
    iv: row.text('iv'),
    ciphertext: row.text('ciphertext'),
    tag: row.text('tag'),
  };
}

/** What a list reads: it knows the owner. */
export interface ListedDocument extends SecretFields {
  readonly _id: string;
  readonly expiresAt?: Date;
  /** As text. */
  readonly destination?: string;
  readonly lastUsedAt?: Date;
  readonly lastUsedDay?: Date;
  readonly health?: SecretHealth;
}

/** What a find reads. `owner` is the owner's key in every collection. */
export interface FoundDocument extends ListedDocument {
  readonly owner: string;
  readonly sealed: MarkDocument | null;
  readonly mac: RecordMac;
}

/** Names a sealed value. `setBy` is the actor's key. */
export interface MarkDocument extends Omit<SealedMark, 'setBy'> {
  readonly setBy: string;
}

export interface SealedDocument extends MarkDocument {
  readonly envelope: Envelope;
  /** Of a current value. */
  readonly digest?: ValueDigest;
}

export interface SecretDocument extends FoundDocument {
  readonly sealed: SealedDocument | null;
}

/** Everything but the envelope, for a find that computes what it has of the value. */
export const foundFields = Object.fromEntries(
  [...fieldNames, 'owner', 'mac', 'expiresAt', 'destination', 'lastUsedAt', 'health'].map((name) => [name, 1]),
);

/** What a find and a list leave out. */
export const foundProjection = { 'sealed.envelope': 0, 'sealed.digest': 0 } as const;
export const listedProjection = { owner: 0, sealed: 0, mac: 0, lastUsedDay: 0 } as const;

/** Everything of a secret but its id, its value, its MAC and what need not be there. */
export function fieldsOf(secret: Secret): Omit<FoundDocument, '_id' | 'sealed' | 'mac' | keyof Optional> {
  const [createdBy, updatedBy] = [actorKey(secret.createdBy), actorKey(secret.updatedBy)];
  // Named fields only: a spread would also store what else an object happens to hold.
  return Object.assign(pick(secret), { createdBy, updatedBy, owner: ownerKey(secret.owner) });
}

export function documentOf(record: SecretRecord): SecretDocument {
  const sealed = record.sealed && sealedDocumentOf(record.sealed);
  const { id: _id, mac, lastUsedAt, health } = record;
  const fields = { ...fieldsOf(record), mac, sealed, ...changeableFieldsOf(record) };
  const found = { ...(lastUsedAt && lastUsedFields(lastUsedAt)), ...(health && { health: healthDocumentOf(health) }) };
  return { _id, ...fields, ...found };
}

/** What need not be there, without what belongs to the value or only a use sets. */
function changeableFieldsOf({ expiresAt, destination }: Secret): Pick<FoundDocument, 'expiresAt' | 'destination'> {
  return { ...(expiresAt && { expiresAt }), ...(destination && { destination: destinationText(destination) }) };
}

/** What makes the stored secret this one. Without a new value its health stays. */
export function updateTo(secret: Secret, mac: RecordMac, sealed: Sealed | undefined): UpdateFilter<SecretDocument> {
  const health = sealed && secret.health;
  const $set = {
    ...fieldsOf(secret),
    mac,
    ...(sealed && { sealed: currentDocumentOf(sealed, sealed.digest) }),
    ...(health && { health: healthDocumentOf(health) }),
    ...changeableFieldsOf(secret),
  };
  const optional = sealed ? (['expiresAt', 'destination', 'health'] as const) : (['expiresAt', 'destination'] as const);
  const unset = optional.filter((field) => secret[field] === null);
  return unset.length === 0 ? { $set } : { $set, $unset: Object.fromEntries(unset.map((field) => [field, 1])) };
}

/** A value that is a current one. Deleted and earlier ones have no digest. */
export function currentDocumentOf(sealed: Sealed, digest: ValueDigest | undefined): SealedDocument {
  if (!digest) return sealedDocumentOf(sealed);
  const { kid, digest: text, mac } = digest;
  return { ...sealedDocumentOf(sealed), digest: { kid, digest: text, mac } };
}

export function sealedDocumentOf({ version, number, tag, setAt, setBy, envelope }: Sealed): SealedDocument {
  return { version, number, tag, setAt, setBy: actorKey(setBy), envelope };
}

export function secretOf(document: FoundDocument): StoredSecret {
  return withOwner(ownedOf(document));
}

export function listedSecretOf(document: ListedDocument, owner: Owner = nobody): ListedSecret {
  // As text whatever is there: a damaged document must not fail what came with the same command.
  const createdBy = actorOfKey(String(document.createdBy));
  const updatedBy = actorOfKey(String(document.updatedBy));
  const { _id: id, expiresAt = null, lastUsedAt = null } = document;
  const optional = { expiresAt, destination: storedDestination(document), lastUsedAt, health: healthOf(document) };
  return Object.assign(pick(document), { id, owner, createdBy, updatedBy, ...optional });
}

/** Also null is none that a gateway writes. */
export function storedDestination({ destination }: { readonly destination?: string }): Destination | null {
  return destination === undefined ? null : destinationOfText(destination);
}

export function ownedOf(document: FoundDocument): Owned {
  const { owner: key, sealed, mac } = document;
  return { key, secret: Object.assign(listedSecretOf(document), { sealed: sealed && markOf(sealed), mac }) };
}

export function withSealed<T>(row: Owned<ListedSecret & { mac: RecordMac }>, sealed: T) {
  return { key: row.key, secret: Object.assign(row.secret, { sealed }) };
}

export const foundSecret: RowDecoder<Owned> = {
  read: (row) => readRest(row, withSealed(readOwned(row), row.objectOrNull('sealed', readMark))),
  of: (document) => ownedOf(document as FoundDocument),
};

/** Where the stored envelope is gone, one without parts stands for it, which does not open. */
export function envelopeOf({ envelope }: { readonly envelope?: Envelope | undefined }): Envelope {
  return envelope ?? ({} as Envelope);
}

export function markOf({ version, number, tag, setAt, setBy }: MarkDocument): SealedMark {
  return { version, number, tag, setAt, setBy: actorOfKey(String(setBy)) };
}

export function sealedOf(sealed: SealedDocument): Sealed {
  return { ...markOf(sealed), envelope: envelopeOf(sealed) };
}

/** What is read of a secret whose value is to be opened. */
export const secretRecord: RowDecoder<Owned<SecretRecord & { owner: Owner }>> = {
  read: (row) => readRest(row, withSealed(readOwned(row), row.objectOrNull('sealed', readSealed))),
  of(document) {
    const { sealed } = document as SecretDocument;
    return withSealed(ownedOf(document as SecretDocument), sealed && sealedOf(sealed));
  },
};

type Picked = Pick<Secret & SecretFields, keyof SecretFields>;

/** The fields as they are; actors are in two forms. */
function pick(source: Secret | SecretFields): Picked {
  const picked: Record<string, unknown> = {};
  for (const name of fieldNames) picked[name] = source[name];
  return picked as unknown as Picked;
}
