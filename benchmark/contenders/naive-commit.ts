import type { ClientSession } from 'mongodb';
import { ownerKey } from '../../src/model/owner.ts';
import { emptyChain, extended, nextAuditEvent } from '../../src/store/audit.ts';
import { countChange } from '../../src/store/count-change.ts';
import type { Collections } from '../../src/store/mongodb/collections.ts';
import { documentOf, updateTo } from '../../src/store/mongodb/documents.ts';
import { chainFields, chainOf } from '../../src/store/mongodb/owner-document.ts';
import { isOwned, ownerOfWrite, type Write } from '../../src/store/store.ts';
import { withTestMac } from '../../test/support/keyring.ts';

/** Writes what the gateway writes, as one would do it first: with a call of the driver for each document. */
export async function commitNaively(collections: Collections, write: Write, session: ClientSession): Promise<void> {
  if (!isOwned(write)) throw new Error('The benchmark keeps no results.');
  const { owners, audit } = collections;
  const key = ownerKey(ownerOfWrite(write));
  const found = await owners.findOne({ _id: key }, { session });
  const chain = found ? chainOf(found) : emptyChain;
  await writeSecret(collections, write, session);
  const event = nextAuditEvent(chain.head, write, withTestMac.macOfEvent);
  await audit.insertOne({ owner: key, ...event }, { session });
  const { count, revision } = found ?? { count: 0, revision: 0 };
  const fields = chainFields(extended(chain, event));
  const after = { count: count + countChange[write.type], revision: revision + 1, ...fields };
  if (!found) await owners.insertOne({ _id: key, ...after }, { session });
  else requireMatch(await owners.updateOne({ _id: key, revision }, { $set: after }, { session }));
}

async function writeSecret({ secrets, secretIds }: Collections, write: Write, session: ClientSession): Promise<void> {
  if (write.type === 'insertSecret') {
    await secretIds.insertOne({ _id: write.record.id, owner: ownerKey(write.record.owner) }, { session });
    await secrets.insertOne(documentOf(write.record), { session });
  } else if (write.type === 'updateSecret') {
    const { secret, from, mac, sealed } = write;
    const filter = { _id: secret.id, owner: ownerKey(secret.owner), version: secret.version - 1, 'mac.tag': from.tag };
    requireMatch(await secrets.updateOne(filter, updateTo(secret, mac, sealed), { session }));
  }
}

function requireMatch({ matchedCount }: { readonly matchedCount: number }): void {
  if (matchedCount === 0) throw new Error('another commit came first');
}
