import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import type { WrittenSecret } from '../../src/model/secret.ts';
import type { Operations } from '../../src/operations.ts';
import type { CreateSecretInput } from '../../src/secrets/create-secret.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { insert, newRecord } from '../contract/fixtures.ts';
import { now, operationsOn } from '../support/documents.ts';
import { withTestMac } from '../support/keyring.ts';

type Fields = Omit<Partial<CreateSecretInput>, 'id' | 'owner'>;

const owner = { type: 'team', teamId: 'red' } as const;
/** An owner that may use the same names. */
const other = { type: 'connector', teamId: 'red', connectorId: 'other' } as const;
/** A character of three bytes, and one of two UTF-16 code units. */
const [euro, key] = ['€', '🔑'];

describe('the rules of fields, for a new secret and for a change', () => {
  let store: Store;
  let operations: Operations;
  beforeAll(async () => {
    store = await openSqliteStore(':memory:', withTestMac);
    operations = await operationsOn(store);
  });
  afterAll(() => store.close());

  const created = (fields: Fields) => operations.createSecret({ owner, name: crypto.randomUUID(), ...fields });
  async function updated(fields: Fields): Promise<WrittenSecret> {
    const record = newRecord(other, { destination: null });
    await store.commit([insert(record)]);
    return operations.updateSecret({ id: record.id, ...fields });
  }
  function brokenBy(write: Promise<unknown>): Promise<unknown> {
    return write.then(
      () => [],
      (error: unknown) => {
        if (!(error instanceof DomainError)) throw error;
        return error.details.errors?.map(({ loc, type }) => [loc.join('.'), type]);
      },
    );
  }

  it.each<[string, Fields]>([
    ['a name of 255 characters', { name: 'n'.repeat(255) }],
    ['a name of 255 characters of two code units', { name: key.repeat(255) }],
    ['a name of 255 characters that had 510 before normalisation', { name: 'e\u0301'.repeat(255) }],
    ['a name in any script, with spaces and signs in it', { name: 'Ключ 鍵 מפתח \u{1F511} %_*.\'"\\/<>' }],
    ['a provider of 255 characters', { provider: euro.repeat(255) }],
    ['notes of 4 KiB', { notes: 'n'.repeat(4096) }],
    ['notes of 4 KiB in characters of three bytes', { notes: `${euro.repeat(1365)}n` }],
    ['notes of any characters', { notes: ' \0\r\n\u200B ' }],
    ['empty notes', { notes: '' }],
    ['50 tags', { tags: Array.from({ length: 50 }, (_, n) => `tag ${n}`) }],
    ['tags of 64 characters of two code units', { tags: [key.repeat(64)] }],
    ['a value of 64 KiB', { value: 'v'.repeat(65_536) }],
    ['a value of one byte', { value: '\0' }],
  ])('take %s', async (_what, fields) => {
    for (const secret of [await created(fields), await updated(fields)]) {
      const kept = await store.findRecord(secret.id);
      const { value, name, ...rest } = fields;
      expect(kept).toMatchObject({ ...rest, ...(name !== undefined && { name: name.normalize('NFC') }) });
      if (value !== undefined) expect(kept?.sealed?.version).toBe(secret.version);
    }
  });

  it.each<[string, Fields, string, string]>([
    ['no name', { name: '' }, 'name', 'required'],
    ['a name of 256 characters', { name: 'n'.repeat(256) }, 'name', 'too_long'],
    ['a name of 256 characters of two code units', { name: key.repeat(256) }, 'name', 'too_long'],
    ['a name of a million accents', { name: `e${'\u0301\u0316'.repeat(500_000)}` }, 'name', 'too_long'],
    ['a name with a line end', { name: 'a\nb' }, 'name', 'characters'],
    ['a name with a NUL', { name: 'a\0b' }, 'name', 'characters'],
    ['a name with a delete character', { name: 'a\u007Fb' }, 'name', 'characters'],
    ['a name with a zero-width space', { name: 'a\u200Bb' }, 'name', 'characters'],
    ['a name that changes the direction of text', { name: 'a\u202Eb' }, 'name', 'characters'],
    ['a name with a byte order mark', { name: 'a\uFEFFb' }, 'name', 'characters'],
    ['a name with a private-use character', { name: 'a\uE000b' }, 'name', 'characters'],
    ['a name with half a surrogate pair', { name: 'a\uD83Db' }, 'name', 'characters'],
    ['a name that begins with a space', { name: ' a' }, 'name', 'surrounding_space'],
    ['a name that ends with a space', { name: 'a ' }, 'name', 'surrounding_space'],
    ['a name that ends with a no-break space', { name: 'a\u00A0' }, 'name', 'surrounding_space'],
    ['an empty provider', { provider: '' }, 'provider', 'required'],
    ['a provider of 256 characters', { provider: 'p'.repeat(256) }, 'provider', 'too_long'],
    ['a provider with a control character', { provider: 'a\u0007' }, 'provider', 'characters'],
    ['notes of 4 KiB and a byte', { notes: 'n'.repeat(4097) }, 'notes', 'too_long'],
    ['notes over 4 KiB in characters of three bytes', { notes: euro.repeat(1366) }, 'notes', 'too_long'],
    ['notes with half a surrogate pair', { notes: 'a\uD83D' }, 'notes', 'ill_formed'],
    ['51 tags', { tags: Array(51).fill('t') }, 'tags', 'too_many'],
    ['a tag of 65 characters', { tags: ['t', 't'.repeat(65)] }, 'tags.1', 'too_long'],
    ['an empty tag', { tags: [''] }, 'tags.0', 'required'],
    ['a tag with a space at its end', { tags: ['t '] }, 'tags.0', 'surrounding_space'],
    ['an empty value', { value: '' }, 'value', 'required'],
    ['a value of 64 KiB and a byte', { value: 'v'.repeat(65_537) }, 'value', 'too_long'],
    ['a value over 64 KiB in characters of three bytes', { value: euro.repeat(21_846) }, 'value', 'too_long'],
    ['a value with half a surrogate pair', { value: 'a\uD83D' }, 'value', 'ill_formed'],
    ['a name that shows nothing', { name: '\u0301' }, 'name', 'invisible'],
    ['a tag that shows nothing', { tags: ['\uFE0F'] }, 'tags.0', 'characters'],
    ['a provider with a line separator', { provider: 'a\u2028b' }, 'provider', 'characters'],
  ])('refuse %s', async (_what, fields, field, type) => {
    expect(await brokenBy(created(fields))).toEqual([[field, type]]);
    expect(await brokenBy(updated(fields))).toEqual([[field, type]]);
  });

  describe('of a value that is a mask', () => {
    const secret = 'sk-proj-0123456789abcdefghijklmnopqrstuvwxyz123456789';
    const changed = [
      'sk-pro••••789',
      'sk-pro****789',
      'sk-pro....789',
      'sk-pro&bull;&bull;&bull;&bull;789',
      '"sk-pro••••789"\n',
    ];

    it.each(changed)('refuse %j for the secret that has this mask, and for a new one', async (value) => {
      const { id } = await created({ value: secret });
      expect(await brokenBy(operations.updateSecret({ id, value }))).toEqual([['value', 'masked_value']]);
      expect(await brokenBy(created({ value }))).toEqual([['value', 'masked_value']]);
      const without = await created({});
      expect(await brokenBy(operations.updateSecret({ id: without.id, value }))).toEqual([['value', 'masked_value']]);
    });

    it('take the mask of another secret, and tell that it looks like one', async () => {
      const { id } = await created({ value: secret });
      expect(await operations.updateSecret({ id, value: 'sk-ant••••468' })).toMatchObject({
        version: 2,
        warnings: [{ field: 'value', type: 'mask' }],
      });
    });

    it.each(['• one\n• two', 'correct•horse•battery•staple'])('take text with bullets: %j', async (value) => {
      expect((await created({ value })).warnings).toEqual([]);
      expect((await updated({ value })).version).toBe(2);
    });
  });

  it('keep what looks pasted by mistake exactly as it was sent, and tell it', async () => {
    const value = 'export KEY="Bearer sk-1234"\n';
    for (const secret of [await created({ value }), await updated({ value })]) {
      expect(secret.warnings.map(({ type }) => type)).toEqual([
        'trailing_newline',
        'quotes',
        'assignment',
        'authentication_scheme',
      ]);
    }
    expect((await updated({ notes: '"quoted"' })).warnings).toEqual([]);
    expect((await created({})).warnings).toEqual([]);
  });

  it('store names, providers and tags in NFC, so that text that looks the same is the same', async () => {
    const fields = { provider: 'e\u0301', tags: ['o\u0308', '\u00F6', 'z'] };
    const composed = { provider: '\u00E9', tags: ['\u00F6', 'z'] };
    for (const secret of [await created(fields), await updated(fields)]) expect(secret).toMatchObject(composed);
    await created({ name: 'u\u0308' });
    expect(
      await store.list({ owner, filter: { name: '\u00FC' }, from: 'start', limit: 2, count: false }),
    ).toMatchObject({
      secrets: [{ name: '\u00FC' }],
    });
    await expect(created({ name: '\u00FC' })).rejects.toMatchObject({ code: 'CONFLICT_ERROR' });
  });

  it('normalise a filter to NFC too', async () => {
    const of = { type: 'connector', teamId: 'red', connectorId: 'composed' } as const;
    const name = 'x\u00E4';
    await operations.createSecret({ owner: of, name, value: 'v', provider: '\u00EB', tags: ['\u00EF'] });
    for (const filter of [
      { name: 'xa\u0308' },
      { nameStartsWith: 'xa\u0308' },
      { provider: 'e\u0308' },
      { tags: ['i\u0308', '\u00EF'] },
    ]) {
      const { secrets } = await operations.listSecrets({
        owner: of,
        filter,
        select: { page: true, totalCount: false },
      });
      expect(secrets).toMatchObject([{ name }]);
    }
  });

  it('keep each tag once, in the order they were sent', async () => {
    const tags = ['b', 'a', 'b', 'c', 'a'];
    expect((await created({ tags })).tags).toEqual(['b', 'a', 'c']);
    expect((await updated({ tags })).tags).toEqual(['b', 'a', 'c']);
  });

  it('report all broken fields at once, also when the id of a change is invalid', async () => {
    const bad = { name: '', notes: 'n'.repeat(4097), tags: ['', 'ok', ' '], provider: '', value: '' };
    const broken = [
      ['value', 'required'],
      ['name', 'required'],
      ['provider', 'required'],
      ['notes', 'too_long'],
      ['tags.0', 'required'],
      ['tags.2', 'surrounding_space'],
    ];
    expect(await brokenBy(updated(bad))).toEqual(broken);
    expect(await brokenBy(operations.updateSecret({ id: 'none', ...bad }))).toEqual([['id', 'uuid'], ...broken]);
    expect(await brokenBy(operations.createSecret({ id: 'none', owner, ...bad }))).toEqual(
      expect.arrayContaining([['id', 'uuid'], ...broken]),
    );
  });

  it.each([
    '',
    'none',
    '4c07bc67-57ea-42dd-b702-c2d6c45419f',
    '4c07bc67-57ea-42dd-b702-c2d6c45419fcc',
    '4c07bc67-57ea-42dd-b702-c2d6c45419fg',
    '4c07bc6757ea42ddb702c2d6c45419fc',
    ' 4c07bc67-57ea-42dd-b702-c2d6c45419fc',
    '4c07bc67-57ea-42dd-b702-c2d6c45419fc\n',
    '{4c07bc67-57ea-42dd-b702-c2d6c45419fc}',
  ])('refuse %j as an id', async (id) => {
    expect(await brokenBy(operations.createSecret({ id, owner, name: 'n' }))).toEqual([['id', 'uuid']]);
    expect(await brokenBy(operations.updateSecret({ id, name: 'n' }))).toEqual([['id', 'uuid']]);
    expect(await brokenBy(operations.deleteSecret({ id }))).toEqual([['id', 'uuid']]);
    await expect(operations.findSecret(id)).rejects.toMatchObject({ code: 'UNPROCESSABLE_ENTITY' });
  });

  it('a change sets updatedAt, and leaves createdAt', async () => {
    const record = newRecord(owner);
    await store.commit([insert(record)]);
    expect(await operations.updateSecret({ id: record.id, notes: 'n' })).toMatchObject({
      createdAt: record.createdAt,
      updatedAt: now,
    });
  });
});
