import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import type { WrittenSecret } from '../../src/model/secret.ts';
import type { Operations } from '../../src/operations.ts';
import type { DestinationInput } from '../../src/secrets/destination-input.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { operationsOn } from '../support/documents.ts';
import { withTestMac } from '../support/keyring.ts';

const usual = { origin: 'https://api.example.com', header: 'Authorization', format: 'Bearer {value}' };
const value = 'a value that goes far';

describe('any destination that is accepted', () => {
  let store: Store;
  let operations: Operations;
  beforeAll(async () => {
    store = await openSqliteStore(':memory:', withTestMac);
    operations = await operationsOn(store);
  });
  afterAll(() => store.close());

  const create = (given: Partial<DestinationInput>): Promise<WrittenSecret> =>
    operations.createSecret({
      owner: { teamId: 'red' },
      name: crypto.randomUUID(),
      value,
      destination: { ...usual, ...given },
    });
  const stored = async (given: Partial<DestinationInput>) => (await create(given)).destination;

  it('has an origin that is what new URL makes of it, or refused, whatever it is', async () => {
    const piece = fc.constantFrom(
      ...['https', 'http', '://', ':', '/', '//', '\\', '@', '.', '..', '%2e', '[', ']', '::1', '443', '80', '0'],
      ...[
        'a',
        'B',
        'example.com',
        'localhost',
        '127.0.0.1',
        '0x7f000001',
        '017700000001',
        'ß',
        '。',
        'é',
        ' ',
        '\t',
        '?',
        '#',
        '\u00AD',
        'xn--',
        '-',
        '_',
      ],
    );
    const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    const origins = fc.oneof(
      text,
      text.map((rest) => `https://${rest}`),
      fc.webUrl({ withFragments: true }),
      fc.string({ unit: 'binary', maxLength: 40 }).map((rest) => `https://${rest}`),
    );
    let kept = 0;
    await fc.assert(
      fc.asyncProperty(origins, async (origin) => {
        const written = await create({ origin }).catch((error: unknown) => error);
        if (written instanceof DomainError) return;
        const { destination } = written as WrittenSecret;
        kept += 1;
        const url = new URL(origin);
        expect(destination?.origin).toBe(url.origin);
        expect(url.pathname + url.search + url.hash + url.username + url.password).toBe('/');
        expect(origin.toLowerCase()).toContain(url.hostname);
        expect(destination?.origin).toMatch(
          /^https:\/\/[\w.:[\]-]+$|^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/,
        );
      }),
      { numRuns: 3000 },
    );
    expect(kept).toBeGreaterThan(40);
  });

  it('makes a header that can be sent, whatever it is, with the value in it once', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    const formats = fc.oneof(
      fc.tuple(text, text).map((parts) => parts.join('{value}')),
      fc.tuple(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 })).map((parts) => parts.join('{value}')),
    );
    let kept = 0;
    await fc.assert(
      fc.asyncProperty(formats, async (format) => {
        const written = await create({ format }).catch((error: unknown) => error);
        if (written instanceof DomainError) return;
        kept += 1;
        const header = format.split('{value}').join(value);
        expect(new Headers({ a: header }).get('a')).toBe(header);
        expect(header.split(value)).toHaveLength(2);
      }),
      { numRuns: 1000 },
    );
    expect(kept).toBeGreaterThan(100);
  });

  it('has paths of one form, whatever they are: a URL with that path has it unchanged', async () => {
    const segment = fc.constantFrom(
      'v1',
      '..',
      '.',
      '',
      '%2e',
      '%2E%2e',
      '%2f',
      '%5C',
      'é',
      '%C3%A9',
      '%c3',
      'a~b',
      '%7E',
      ';',
      '?',
      '#',
      '\\',
      ' ',
      '@',
      ':',
    );
    const path = fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`);
    let kept = 0;
    await fc.assert(
      fc.asyncProperty(path, async (one) => {
        const written = await create({ paths: [one] }).catch((error: unknown) => error);
        if (written instanceof DomainError) return;
        kept += 1;
        const [canonical = ''] = (written as WrittenSecret).destination?.paths ?? [];
        expect(new URL(canonical, usual.origin).href).toBe(usual.origin + canonical);
        expect((await stored({ paths: [canonical] }))?.paths).toEqual([canonical]);
      }),
      { numRuns: 2000 },
    );
    expect(kept).toBeGreaterThan(100);
  });
});
