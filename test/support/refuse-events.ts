import { DatabaseSync } from 'node:sqlite';
import { MongoClient } from 'mongodb';
import type { AuditEventType } from '../../src/model/audit-event.ts';
import type { StoreName } from './gateway.ts';

/** Makes the database refuse each event of this type. @returns allows them again */
export async function refuseEvents(store: StoreName, url: string, type: AuditEventType): Promise<() => Promise<void>> {
  if (store === 'sqlite') {
    const database = new DatabaseSync(url.slice('sqlite:'.length), { timeout: 5000 });
    database.exec(
      `CREATE TRIGGER refuse BEFORE INSERT ON audit WHEN NEW.type = '${type}' BEGIN SELECT RAISE(ABORT, 'refused'); END`,
    );
    return async () => {
      database.exec('DROP TRIGGER refuse');
      database.close();
    };
  }
  const client = new MongoClient(url);
  const [found] = await client.db().listCollections({ name: 'audit' }, { nameOnly: false }).toArray();
  const { validator = {} } = (found && 'options' in found && found.options) || {};
  const validateWith = (allowed: object) => client.db().command({ collMod: 'audit', validator: allowed });
  await validateWith({ $and: [validator, { type: { $ne: type } }] });
  return async () => {
    await validateWith(validator);
    await client.close();
  };
}
