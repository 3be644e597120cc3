import type { Owner } from '../../src/model/owner.ts';
import { openStore } from '../../src/store/open-store.ts';
import { insert, newRecord } from '../contract/fixtures.ts';
import { withTestMac } from './keyring.ts';

// Commits batches until it is killed, and tells how many were acknowledged when the next one begins.

const [databaseUrl = '', owner = '', size = ''] = process.argv.slice(2);
const store = await openStore(databaseUrl, withTestMac);
for (let acknowledged = 0; ; acknowledged += 1) {
  const writes = Array.from({ length: Number(size) }, () => insert(newRecord(JSON.parse(owner) as Owner)));
  const committing = store.commit(writes);
  process.send?.(acknowledged);
  await committing;
}
