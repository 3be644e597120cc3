import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { seal } from '../../src/crypto/envelope.ts';
import { bindingOf, openRecord } from '../../src/crypto/record.ts';
import { readKeyring } from '../../src/keyring/file.ts';
import { rewrapEnvelopes } from '../../src/keyring/rewrap.ts';
import { withStore } from '../../src/store/open-store.ts';
import { insert, marked, newOwner, newRecord, sealed } from '../contract/fixtures.ts';
import { withTestMac, writeKeyring } from '../support/keyring.ts';

it('wraps nothing under a key that is no longer the active one', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'rewrap-'));
  const path = join(directory, 'keyring.json');
  await writeKeyring(path, [{ kid: 'one', state: 'active' }]);
  const before = await readKeyring(path);
  await writeKeyring(path, [
    { kid: 'one', state: 'decrypting' },
    { kid: 'two', state: 'active' },
  ]);
  await withStore(
    'sqlite::memory:',
    async (store) => {
      const owner = newOwner();
      const record = newRecord(owner);
      const envelope = await seal('value', bindingOf(record, 1), before);
      const value = { ...sealed(), tag: envelope.tag, envelope };
      await store.commit([insert(marked({ ...record, sealed: value }, before))]);
      // Another key becomes active after the keyring was read, and before anything is written.
      const ring = await readKeyring(path);
      await writeKeyring(path, [
        { kid: 'one', state: 'active' },
        { kid: 'two', state: 'decrypting' },
      ]);
      await expect(rewrapEnvelopes(store, ring, path)).rejects.toThrow('Another key became active');
      expect((await store.wrappedKeys('', 10)).map(({ kid }) => kid)).toEqual(['one']);
      await writeKeyring(path, [
        { kid: 'one', state: 'decrypting' },
        { kid: 'two', state: 'active' },
      ]);
      await rewrapEnvelopes(store, ring, path);
      expect((await store.wrappedKeys('', 10)).map(({ kid }) => kid)).toEqual(['two']);
      const stored = await store.findRecord(record.id);
      expect(stored && (await openRecord(stored, ring))).toBe('value');
    },
    withTestMac,
  );
  await rm(directory, { recursive: true });
});
