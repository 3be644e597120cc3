import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireDeletedMac } from '../../src/crypto/deleted-record.ts';
import { seal } from '../../src/crypto/envelope.ts';
import { bindingOf, openRecord, RecordRejected } from '../../src/crypto/record.ts';
import { openVersionBytes } from '../../src/crypto/version-record.ts';
import type { Sealed } from '../../src/model/envelope.ts';
import type { SecretRecord } from '../../src/model/secret.ts';
import { destinationText } from '../../src/store/destination-text.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import {
  changedDestinations,
  destination,
  insert,
  marked,
  newOwner,
  newRecord,
  query,
  remove,
  sealed,
  update,
} from '../contract/fixtures.ts';
import { newDatabaseUrl, type StoreName, storeNames } from '../support/gateway.ts';
import { testKeyring, withTestMac } from '../support/keyring.ts';

/** Where a value is kept with what its MAC says. */
const places = ['secret', 'version', 'deleted'] as const;
type Place = (typeof places)[number];
type Part = 'destination' | 'name' | 'placeholder' | 'envelope';

/** Puts this in the place of what a gateway wrote. */
type Writer = (place: Place, id: string, part: Part, value: unknown) => Promise<void>;

const tables = { secret: 'secrets', version: 'secret_versions', deleted: 'deleted_secrets' };
const envelopes = { secret: 'envelopes', version: 'secret_versions', deleted: 'deleted_envelopes' };
const collections = { secret: 'secrets', version: 'secretVersions', deleted: 'deletedSecrets' };

function sqliteWriter(path: string): { write: Writer; close(): Promise<void> } {
  const database = new DatabaseSync(path, { timeout: 5000 });
  return {
    async write(place, id, part, value) {
      const [table, text] = part === 'envelope' ? [envelopes[place], JSON.stringify(value)] : [tables[place], value];
      const key = table === 'secrets' || table === 'deleted_secrets' ? 'id' : 'secret_id';
      const { changes } = database
        .prepare(`UPDATE ${table} SET ${part} = ? WHERE ${key} = ?`)
        .run((text ?? null) as string | null, id);
      if (changes !== 1) throw new Error('it is not there');
    },
    close: async () => database.close(),
  };
}

function mongodbWriter(uri: string): { write: Writer; close(): Promise<void> } {
  const client = new MongoClient(uri);
  return {
    async write(place, id, part, value) {
      const field = part === 'envelope' ? 'sealed.envelope' : part;
      const change = value === undefined ? { $unset: { [field]: 1 } } : { $set: { [field]: value } };
      const filter = place === 'version' ? { secretId: id } : { _id: id as never };
      const collection = client.db().collection(collections[place]);
      const { matchedCount } = await collection.updateOne(filter, change, { bypassDocumentValidation: true });
      if (matchedCount !== 1) throw new Error('it is not there');
    },
    close: () => client.close(),
  };
}

const { origin, header, format, paths } = destination;
/** What is no destination as a gateway writes one. */
const malformed: unknown[] = [
  ...['', '[', 'null', '{}', '[]', '"https://api.openai.com"', JSON.stringify(destination)],
  ...[
    [origin, header, format, paths],
    [origin, header, format, paths, true, true],
    [origin, header, format, paths, 1],
    [origin, header, format, 'every', true],
    [origin, header, format, [1], true],
    [null, header, format, paths, true],
    [origin, {}, format, paths, true],
  ].map((parts) => JSON.stringify(parts)),
];
/** MongoDB has other types, too. */
const otherTypes: unknown[] = [null, 5, { ...destination }, [origin, header, format, paths, true]];

describe.each(storeNames)('somebody who writes to the database, on %s', (name: StoreName) => {
  const folder = mkdtempSync(join(tmpdir(), 'destination-writer-'));
  const owner = newOwner();
  let store: Store;
  let writer: { write: Writer; close(): Promise<void> };
  /** By place; the version is an earlier value of the secret of its own. */
  let ids: Record<Place, string>;
  let original: Record<Place, Record<Part, unknown>>;

  beforeAll(async () => {
    const url = newDatabaseUrl(name, folder);
    store = await openStore(url, withTestMac);
    writer = name === 'sqlite' ? sqliteWriter(url.slice('sqlite:'.length)) : mongodbWriter(url);
    const records = await Promise.all(places.map((place) => sealedRecord(`the value of ${place}`)));
    const [secret, version, deleted] = records as [SecretRecord, SecretRecord, SecretRecord];
    await store.commit(records.map(insert));
    await store.commit([update(version, { destination: null }, sealed(2))]);
    await store.commit([remove(deleted)]);
    ids = { secret: secret.id, version: version.id, deleted: deleted.id };
    const partsOf = ({ name: of, placeholder, sealed: value }: SecretRecord) => ({
      ...{ destination: destinationText(destination), name: of, placeholder, envelope: value?.envelope },
    });
    original = { secret: partsOf(secret), version: partsOf(version), deleted: partsOf(deleted) };
  });
  afterAll(async () => {
    await writer?.close();
    await store?.close();
    rmSync(folder, { recursive: true });
  });

  async function sealedRecord(value: string): Promise<SecretRecord> {
    const record = newRecord(owner, { destination });
    const envelope = seal(value, bindingOf(record, 1), testKeyring);
    const of: Sealed = { ...sealed(), tag: envelope.tag, envelope };
    return marked({ ...record, sealed: of });
  }

  /** What a way out of each place comes to: a value, that it is one of a gateway, or a rejection. */
  async function outcome(place: Place): Promise<unknown> {
    const id = ids[place];
    try {
      if (place === 'secret') {
        const record = await store.findRecord(id);
        return record && (await openRecord(record, testKeyring));
      }
      if (place === 'version') {
        const version = await store.versions.find(owner, id, 1);
        return version && Buffer.from(await openVersionBytes(version, testKeyring)).toString();
      }
      const deleted = await store.deletedSecrets.find(id);
      if (!deleted) return undefined;
      requireDeletedMac(deleted, testKeyring);
      // Its MAC is over the tag of its envelope alone: that opens once it is restored.
      return await openRecord(marked(deleted), testKeyring);
    } catch (error) {
      return error;
    }
  }

  const isSound = async (place: Place) => (await outcome(place)) === `the value of ${place}`;

  async function expectRejected(place: Place, part: Part, values: readonly unknown[]): Promise<void> {
    const missed: unknown[] = [];
    for (const value of values) {
      await writer.write(place, ids[place], part, value);
      const met = await outcome(place);
      if (!(met instanceof RecordRejected && met.secretId === ids[place])) missed.push({ value, met });
    }
    await writer.write(place, ids[place], part, original[place][part]);
    expect(missed).toEqual([]);
    expect(await isSound(place)).toBe(true);
  }

  it('meets sound records', async () => {
    for (const place of places) expect(await outcome(place)).toBe(`the value of ${place}`);
  });

  it.each(places)('changes a part of where a value may go, of a %s: nothing leaves', async (place) => {
    const texts = changedDestinations.map(([, to]) => (to ? destinationText(to) : undefined));
    await expectRejected(place, 'destination', texts);
  });

  it.each(places)(
    'writes a destination that is none, of a %s: nothing leaves, and it is not taken for none',
    async (place) => {
      await expectRejected(place, 'destination', name === 'mongodb' ? [...malformed, ...otherTypes] : malformed);
    },
  );

  it.each(places)('gives a %s the envelope of another: nothing leaves', async (place) => {
    const others = places.filter((one) => one !== place).map((one) => original[one].envelope);
    await expectRejected(place, 'envelope', others);
  });

  it.each(['secret', 'deleted'] as const)(
    'changes the name or the placeholder of a %s: nothing leaves',
    async (place) => {
      await expectRejected(place, 'name', ['another name']);
      await expectRejected(place, 'placeholder', ['sec_000000000']);
    },
  );

  it('fails nobody who lists what was damaged among others, and it has a destination there', async () => {
    const other = newRecord(owner);
    await store.commit([insert(other)]);
    for (const value of name === 'mongodb' ? [...malformed, ...otherTypes] : malformed) {
      for (const place of places) await writer.write(place, ids[place], 'destination', value);
      const { secrets } = await store.list(query(owner));
      expect(secrets.map(({ id }) => id)).toEqual(expect.arrayContaining([ids.secret, ids.version, other.id]));
      expect(secrets.find(({ id }) => id === ids.secret)?.destination).toMatchObject({ origin: '' });
      const named = { names: [], placeholders: [], ids: [ids.secret, other.id] };
      const selected = await store.select(owner, named, 10);
      expect(selected.map(({ secret }) => secret.destination?.origin).toSorted()).toEqual(['', origin]);
      const versions = await store.versions.list(owner, ids.version);
      expect(versions.map((version) => version.destination?.origin)).toEqual([undefined, '']);
      const deleted = await store.deletedSecrets.list({ owner, since: new Date(0), limit: 10, count: false });
      expect(deleted.secrets.map((secret) => secret.destination?.origin)).toEqual(['']);
    }
  });
});
