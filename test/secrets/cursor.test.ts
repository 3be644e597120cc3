import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import * as signed from '../../src/crypto/cursor.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { parseKeyring } from '../../src/crypto/keyring-file.ts';
import type { Owner } from '../../src/model/owner.ts';
import type { SecretFilter } from '../../src/model/secret.ts';
import { type CursorList, listKey } from '../../src/secrets/cursor.ts';
import type { Position } from '../../src/store/position.ts';
import { keyringText } from '../support/keyring.ts';

const position: Position = { name: 'a name, \uFFFD and 鍵 🔑', id: '0a0de1d2-5d3f-4f6e-9f5c-52d0c4f7b1aa' };
const owner: Owner = { type: 'connector', teamId: 'red', connectorId: 'c' };
const filter: Required<SecretFilter> = {
  name: 'n',
  nameStartsWith: 's',
  provider: 'p',
  tags: ['one', 'two'],
  placeholder: 'sec_1',
  expiresBefore: new Date('2026-04-01T00:00:00Z'),
  notUpdatedSince: new Date('2026-03-01T00:00:00Z'),
  hasValue: true,
  health: 'REJECTED',
  notUsedSince: new Date('2026-02-01T00:00:00Z'),
};
const scope: CursorList = { owner, filter };
const encodeCursor = (at: Position, list: CursorList, ring: Keyring) => signed.encodeCursor(at, listKey(list), ring);
const decodeCursor = (text: string, list: CursorList, ring: Keyring) => signed.decodeCursor(text, listKey(list), ring);
const refused = expect.objectContaining({ name: 'DomainError', code: 'BAD_REQUEST' });

let keyring: Keyring;
let cursor: string;
beforeAll(async () => {
  keyring = await ringOf({ one: 'active' });
  cursor = encodeCursor(position, scope, keyring);
});

function ringOf(states: Record<string, string>): Promise<Keyring> {
  const keys = Object.entries(states).map(([kid, state]) => ({ use: 'mac', kid, state }) as const);
  return parseKeyring(keyringText(keys), 'keyring.json');
}

function decoded(text: string, of: CursorList = scope, ring: Keyring = keyring): unknown {
  try {
    return decodeCursor(text, of, ring);
  } catch (error) {
    return error;
  }
}

function isAccepted(text: string): boolean {
  return !(decoded(text) instanceof Error);
}

describe('a cursor', () => {
  it('is the position that it was made for, in the list that it was made for', () => {
    expect(decoded(cursor)).toEqual(position);
  });

  it.each<[string, Owner]>([
    ['connector', { type: 'connector', teamId: 'red', connectorId: 'd' }],
    ['team’s connector', { type: 'connector', teamId: 'blue', connectorId: 'c' }],
    ['type: the team itself', { type: 'team', teamId: 'red' }],
    ['type: a user', { type: 'user', userId: 'red' }],
  ])('of an owner is refused for an owner of another %s', (_what, other) => {
    expect(decoded(cursor, { owner: other, filter })).toEqual(refused);
  });

  it.each<[keyof SecretFilter, SecretFilter[]]>([
    ['name', [{ name: 'N' }, { name: '' }]],
    ['nameStartsWith', [{ nameStartsWith: 'S' }, { nameStartsWith: '' }]],
    ['provider', [{ provider: 'q' }, { provider: '' }]],
    ['placeholder', [{ placeholder: 'sec_2' }, { placeholder: '' }]],
    [
      'tags',
      [['two', 'one'], ['one'], ['one', 'two', 'three'], ['one', 'one', 'two'], ['one,two'], ['one","two'], []].map(
        (tags) => ({ tags }),
      ),
    ],
  ])(
    'of a filter is refused for another %s, and without it; and one without it is refused with it',
    (field, others) => {
      const { [field]: value, ...without } = filter;
      for (const other of [...others.map((change) => ({ ...filter, ...change })), without]) {
        expect(decoded(cursor, { owner, filter: other })).toEqual(refused);
        const otherCursor = encodeCursor(position, { owner, filter: other }, keyring);
        expect(decoded(otherCursor, { owner, filter: other })).toEqual(position);
        expect(decoded(otherCursor)).toEqual(refused);
      }
      const alone = { owner, filter: { [field]: value } };
      const unfiltered = { owner, filter: {} };
      expect(decoded(encodeCursor(position, alone, keyring), unfiltered)).toEqual(refused);
      expect(decoded(encodeCursor(position, unfiltered, keyring), alone)).toEqual(refused);
    },
  );

  it('of one filter field is refused for another field of the same text', () => {
    const fields = ['name', 'nameStartsWith', 'provider', 'placeholder'] as const;
    for (const one of fields) {
      for (const other of fields) {
        const made = encodeCursor(position, { owner, filter: { [one]: 'x' } }, keyring);
        expect(decoded(made, { owner, filter: { [other]: 'x' } })).toEqual(one === other ? position : refused);
      }
    }
  });

  it('is valid while its MAC key verifies, and no longer', async () => {
    expect(decoded(cursor, scope, await ringOf({ one: 'verifying', two: 'active' }))).toEqual(position);
    expect(decoded(cursor, scope, await ringOf({ one: 'pending', two: 'active' }))).toEqual(position);
    expect(decoded(cursor, scope, await ringOf({ one: 'retired', two: 'active' }))).toEqual(refused);
    expect(decoded(cursor, scope, await ringOf({ two: 'active' }))).toEqual(refused);
  });

  it('is refused when any byte is changed to any other', () => {
    const bytes = Buffer.from(cursor, 'base64url');
    const accepted: [number, number][] = [];
    for (const [index, byte] of bytes.entries()) {
      for (let other = 0; other < 256; other += 1) {
        bytes[index] = other;
        if (other !== byte && isAccepted(bytes.toString('base64url'))) accepted.push([index, other]);
      }
      bytes[index] = byte;
    }
    expect(accepted).toEqual([]);
    expect(isAccepted(bytes.toString('base64url'))).toBe(true);
  });

  it('is refused when it is truncated anywhere, or has more text at either end', () => {
    const bytes = Buffer.from(cursor, 'base64url');
    for (let length = 0; length < bytes.length; length += 1) {
      expect(decoded(bytes.toString('base64url', 0, length))).toEqual(refused);
      expect(decoded(bytes.toString('base64url', bytes.length - length))).toEqual(refused);
    }
    for (const extra of ['\0', 'a', '\uFEFF']) {
      expect(decoded(Buffer.concat([bytes, Buffer.from(extra)]).toString('base64url'))).toEqual(refused);
      expect(decoded(Buffer.concat([Buffer.from(extra), bytes]).toString('base64url'))).toEqual(refused);
    }
  });

  it('is refused in any other encoding of the same bytes', () => {
    const bytes = Buffer.from(cursor, 'base64url');
    expect(bytes.toString('base64')).not.toBe(cursor);
    for (const other of [`${cursor}=`, `${cursor}==`, ` ${cursor}`, `${cursor}\n`, bytes.toString('base64')]) {
      expect(Buffer.from(other, 'base64url')).toEqual(bytes);
      expect(decoded(other)).toEqual(refused);
    }
    expect(decoded(bytes.toString('hex'))).toEqual(refused);
  });

  it('that is garbage is refused', () => {
    for (const garbage of ['', '=', 'a', 'null', '{}', '0', 'a'.repeat(43), 'é', '\ud800', 'A'.repeat(100_000)]) {
      expect(decoded(garbage)).toEqual(refused);
    }
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (garbage) => !isAccepted(garbage)));
  });
});

const id = fc.constantFrom('a', 'b', 'a/b', 'a","b', '鍵');
const owners = fc.oneof<fc.Arbitrary<Owner>[]>(
  fc.record({ type: fc.constant('user'), userId: id }, { noNullPrototype: true }),
  fc.record({ type: fc.constant('team'), teamId: id }, { noNullPrototype: true }),
  fc.record({ type: fc.constant('connector'), teamId: id, connectorId: id }, { noNullPrototype: true }),
);
const text = fc.constantFrom('', 'a', 'b', 'null', 'a","b');
const filters = fc.record(
  { name: text, nameStartsWith: text, provider: text, placeholder: text, tags: fc.array(text, { maxLength: 3 }) },
  { requiredKeys: [], noNullPrototype: true },
);
const scopes: fc.Arbitrary<CursorList> = fc.record({ owner: owners, filter: filters }, { noNullPrototype: true });
const positions: fc.Arbitrary<Position> = fc.record({
  id: fc.uuid(),
  name: fc.string({ unit: 'binary', minLength: 1 }),
});

const many = { numRuns: 2000 };

describe('for any list and position, a cursor', () => {
  it('is that position in that list, and is refused in any other list', () => {
    fc.assert(
      fc.property(positions, scopes, scopes, (place, one, other) => {
        const made = encodeCursor(place, one, keyring);
        expect(decoded(made, one)).toEqual(place);
        expect(decoded(made, other)).toEqual(isDeepStrictEqual(one, other) ? place : refused);
      }),
      many,
    );
  });

  it('is refused when one field of the filter is changed, added or removed', () => {
    const fields = fc.constantFrom(...(Object.keys(filter) as (keyof SecretFilter)[]));
    fc.assert(
      fc.property(positions, scopes, fields, scopes, (place, one, field, other) => {
        const { [field]: _, ...without } = one.filter;
        const value = other.filter[field];
        const changed = { ...one, filter: { ...without, ...(value !== undefined && { [field]: value }) } };
        const made = encodeCursor(place, one, keyring);
        expect(decoded(made, changed)).toEqual(isDeepStrictEqual(one, changed) ? place : refused);
      }),
      many,
    );
  });
});
