import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { BSON, type Document, Long } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { ownerKey } from '../../src/model/owner.ts';
import { healthSources, healthStatuses, type SecretHealth } from '../../src/model/secret-health.ts';
import {
  documentOf,
  foundSecret,
  type SealedDocument,
  type SecretDocument,
  secretRecord,
} from '../../src/store/mongodb/documents.ts';
import { listRow } from '../../src/store/mongodb/list.ts';
import { decodeRows, type RowDecoder, RowReader } from '../../src/store/mongodb/row-reader.ts';
import { selectedSecret } from '../../src/store/mongodb/select.ts';
import { changedDestinations, newOwner, newRecord } from '../contract/fixtures.ts';

/** `FUZZ_REPLIES=1000000 npx vitest run test/store/row-reader.test.ts` takes some minutes. */
const mutatedReplies = Number(process.env.FUZZ_REPLIES ?? 20_000);

const options = { validation: { utf8: false } } as const;
const raw = { ...options, fieldsAsRaw: { firstBatch: true } };

const texts = ['', 'plain', 'Grüße, 世界 🗝', '\ufffd', '\u0000', '\u0080', 'x'.repeat(300), '{{SECRET}}'];

/** A generator of pseudo-random numbers: a failure is run again with its seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), state | 1) + 0x6d2b79f5) | 0;
    const mixed = Math.imul(state ^ (state >>> 7), state | 61) ^ state;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Random = ReturnType<typeof randomFrom>;

function recordFrom(random: Random) {
  const text = () => texts[random(texts.length)] ?? '';
  const record = newRecord(newOwner(), {
    name: text(),
    placeholder: text(),
    provider: random(2) ? text() : null,
    notes: random(2) ? text() : null,
    tags: Array.from({ length: random(3) ? random(4) : random(60) }, text),
    maskedValue: random(2) ? text() : null,
    version: [1, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1][random(4)] ?? 1,
    createdAt: new Date([0, -1, 1e12, 8.64e15][random(4)] ?? 0),
    expiresAt: random(2) ? new Date([0, -1, 1e12, 8.64e15][random(4)] ?? 0) : null,
    destination: changedDestinations[random(changedDestinations.length)]?.[1] ?? null,
    lastUsedAt: random(2) ? new Date([0, -1, 1e12, 8.64e15][random(4)] ?? 0) : null,
    health: random(2) ? healthFrom(random) : null,
    ...(random(3) === 0 && { sealed: null }),
  });
  return inAnyOrder(documentOf(record), random);
}

function healthFrom(random: Random): SecretHealth {
  return {
    status: healthStatuses[random(healthStatuses.length)] ?? 'VALID',
    checkedAt: new Date([0, -1, 1e12, 8.64e15][random(4)] ?? 0),
    source: healthSources[random(healthSources.length)] ?? 'USE',
  };
}

/** What is optional is where the writes left it that added it. */
function inAnyOrder(document: SecretDocument, random: Random): SecretDocument {
  const { expiresAt, destination, lastUsedAt, lastUsedDay, health, ...rest } = document;
  const possible = Object.entries({ expiresAt, destination, lastUsedAt, lastUsedDay, health });
  const optional = possible.filter(([, value]) => value !== undefined);
  for (let left = optional.length; left > 1; left -= 1) optional.push(...optional.splice(random(left), 1));
  return Object.assign(rest, Object.fromEntries(optional));
}

/** What is read of a sealed value without its envelope. */
function markOf({ envelope, ...mark }: SealedDocument) {
  return mark;
}

/** The rows of each read, as the server sends them. */
const rows: Record<string, { decoder: RowDecoder<unknown>; make: (random: Random) => Document }> = {
  'a list': {
    decoder: listRow,
    make(random) {
      const { owner, mac, sealed, ...listed } = recordFrom(random);
      const count = random(1000);
      return [listed, { ...listed, k: random(100) }, { _id: ownerKey(newOwner()), count }, { count, k: random(100) }][
        random(4)
      ] as Document;
    },
  },
  'a find': {
    decoder: foundSecret,
    make(random) {
      const found = recordFrom(random);
      return { ...found, sealed: found.sealed && markOf(found.sealed) };
    },
  },
  'a find with envelopes': { decoder: secretRecord, make: recordFrom },
  'a selection': {
    decoder: selectedSecret,
    make(random) {
      const { sealed, ...found } = recordFrom(random);
      if (random(2)) return { ...found, envelopeBytes: 300, sealed };
      return { ...found, envelopeBytes: 9000, sealed: sealed && markOf(sealed) };
    },
  },
};

const replyOf = (documents: readonly Document[]) =>
  BSON.serialize({ cursor: { firstBatch: documents, id: Long.ZERO, ns: 'a.secrets' }, ok: 1 });

/** What a reply gives, or that it gives nothing. */
function outcome(read: () => unknown): { readonly value?: unknown } {
  try {
    return { value: read() };
  } catch {
    return {};
  }
}

function ours(reply: Uint8Array, decoder: RowDecoder<unknown>) {
  return outcome(() => decodeRows(BSON.deserialize(reply, raw).cursor.firstBatch, decoder));
}

function ofBson(reply: Uint8Array, decoder: RowDecoder<unknown>) {
  return outcome(() => {
    const batch: unknown[] = BSON.deserialize(reply, options).cursor.firstBatch;
    return batch.map((row) => {
      if (Object.getPrototypeOf(row) !== Object.prototype) throw new TypeError('no document');
      return decoder.of(row as Document);
    });
  });
}

/** Bytes changed, left out, doubled or moved; lengths and types of fields more often than others. */
function mutate(reply: Uint8Array, random: Random): Uint8Array {
  const bytes = Buffer.from(reply);
  const at = random(bytes.length);
  switch (random(7)) {
    case 0:
      bytes[at] = random(256);
      return bytes;
    case 1:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
      return bytes;
    case 2: {
      const length = bytes.indexOf(random(2) ? 0x02 : 0x00, at);
      if (length >= 0 && length + 4 < bytes.length) bytes.writeInt32LE((random(600) - 100) | 0, length);
      return bytes;
    }
    case 3: {
      const type = bytes.indexOf([2, 3, 4, 9, 10, 16][random(6)] ?? 2, at);
      if (type >= 0) bytes[type] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 16, 17, 18, 19, 255, 127][random(18)] ?? 0;
      return bytes;
    }
    case 4:
      return withLength(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(8))]), random);
    case 5:
      return withLength(Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - random(9)))]), random);
    default: {
      const other = random(bytes.length);
      const size = random(24);
      bytes.copyWithin(at, other, other + size);
      return bytes;
    }
  }
}

function withLength(bytes: Buffer, random: Random): Buffer {
  if (random(4) && bytes.length > 4) bytes.writeInt32LE(bytes.length);
  return bytes;
}

describe('rows of MongoDB', () => {
  it.each(Object.entries(rows))('of %s are read as BSON reads them', (_, { decoder, make }) => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 4 }), (seed, count) => {
        const random = randomFrom(seed);
        const reply = replyOf(Array.from({ length: count }, () => make(random)));
        const [mine, bson] = [ours(reply, decoder), ofBson(reply, decoder)];
        expect(mine).toEqual(bson);
        expect(mine.value).toHaveLength(count);
      }),
    );
  });

  it.each(Object.entries(rows))('of %s need no BSON where a gateway wrote them', (_, { decoder, make }) => {
    const random = randomFrom(1);
    for (let count = 0; count < 200; count += 1) {
      const row = make(random);
      if (row.version > 2 ** 31 - 1) row.version = 1;
      const bytes = Buffer.from(BSON.serialize(row));
      expect(new RowReader().read(bytes, decoder.read)).toEqual(decoder.of(BSON.deserialize(bytes, options)));
    }
  });

  it.each(Object.entries(rows))(
    `of %s are the same, or refused as well, when bytes of the reply have changed`,
    (_, { decoder, make }) => {
      const seed = Math.floor(Math.random() * 2 ** 31);
      const random = randomFrom(seed);
      let unread = 0;
      const count = mutatedReplies / Object.keys(rows).length;
      const whole = Array.from({ length: 60 }, () =>
        replyOf(Array.from({ length: 1 + random(2) }, () => make(random))),
      );
      for (let replies = 0; replies < count; replies += 1) {
        let reply = whole[random(whole.length)] ?? new Uint8Array();
        for (let times = 1 + random(3); times > 0; times -= 1) reply = mutate(reply, random);
        const [mine, bson] = [ours(reply, decoder), ofBson(reply, decoder)];
        if (!isDeepStrictEqual(mine, bson)) expect({ seed, replies, mine }).toEqual({ seed, replies, mine: bson });
        if (!('value' in bson)) unread += 1;
      }
      // Both kinds are met.
      expect(unread).toBeGreaterThan(count / 10);
      expect(unread).toBeLessThan(count * 0.9);
    },
    600_000,
  );

  it('that are no documents are refused', () => {
    for (const firstBatch of [['text'], [1], [[]], [new BSON.Binary(BSON.serialize({ count: 1, k: 1 }))]]) {
      expect(ours(replyOf(firstBatch as unknown as Document[]), listRow)).toEqual({});
    }
  });
});
