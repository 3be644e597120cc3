import type { SecretRecord } from '../model/secret.ts';
import type { SelectedSecret, Store } from './store.ts';

/** Large envelopes that are read in one command. */
const bytesAtOnce = 2 * 1024 * 1024;

/** The records of what was selected, in its order; null for one that has changed. Large ones are read a few at a time. */
export async function* recordsOf(
  store: Store,
  selected: readonly SelectedSecret[],
): AsyncGenerator<SecretRecord | null> {
  const read = new Map<string, SecretRecord>();
  for (const [index, { secret, envelope }] of selected.entries()) {
    if (secret.sealed && envelope) {
      yield { ...secret, sealed: { ...secret.sealed, envelope } };
      continue;
    }
    if (!read.has(secret.id)) {
      const ids = nextLarge(selected.slice(index));
      for (const record of await store.findRecords(secret.owner, ids)) read.set(record.id, record);
    }
    const record = read.get(secret.id);
    read.delete(secret.id);
    yield record?.mac.tag === secret.mac.tag ? record : null;
  }
}

function nextLarge(selected: readonly SelectedSecret[]): string[] {
  const ids: string[] = [];
  let bytes = 0;
  for (const { secret, envelope, envelopeBytes } of selected) {
    if (envelope) continue;
    bytes += envelopeBytes;
    if (ids.length > 0 && bytes > bytesAtOnce) break;
    ids.push(secret.id);
  }
  return ids;
}
