import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Owner } from '../../src/model/owner.ts';
import { openStore } from '../../src/store/open-store.ts';
import { insert, newRecord } from '../contract/fixtures.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { withTestMac } from '../support/keyring.ts';

interface Representation {
  __typename: 'Secret' | 'User' | 'Connector';
  id: string;
  teamId?: string;
}

const secret = (id: string): Representation => ({ __typename: 'Secret', id });
const user = (id: string): Representation => ({ __typename: 'User', id });
const connector = (teamId: string, id: string): Representation => ({ __typename: 'Connector', teamId, id });

describe.each(storeNames)('1,000 entities at once on %s', (store) => {
  let gateway: TestGateway;
  const teams = Array.from({ length: 10 }, (_, index) => `team-${index}`);
  const connectors = teams.flatMap((teamId) =>
    Array.from({ length: 10 }, (_, index): Owner => ({ type: 'connector', teamId, connectorId: `c-${index}` })),
  );
  const everyRecord = connectors.flatMap((owner) => Array.from({ length: 10 }, () => newRecord(owner)));
  /** In an order in which every owner occurs several times. */
  const representations = Array.from({ length: 1000 }, (_, index) => {
    const owner = connectors[index % connectors.length];
    return owner?.type === 'connector' ? connector(owner.teamId, owner.connectorId) : user('ada');
  });
  const short = `
    query ($representations: [_Any!]!) {
      _entities(representations: $representations) {
        ... on Secret { id name }
        ... on Connector { teamId id secrets { totalCount nodes { name } } }
      }
    }`;
  let token: string;

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    const direct = await openStore(gateway.databaseUrl, withTestMac);
    await direct.commit(everyRecord.map(insert));
    await direct.close();
    token = await gateway.issuer.token({ teams });
  });
  afterAll(() => gateway.close());

  it('can be 100 owners with their lists', async () => {
    const { data, errors } = await gateway.run(short, { representations }, { token });
    expect(errors).toEqual([]);
    expect(data._entities).toHaveLength(1000);
    for (const [index, entity] of data._entities.entries()) {
      expect(entity).toMatchObject({ teamId: representations[index]?.teamId, id: representations[index]?.id });
      expect(entity.secrets.totalCount).toBe(10);
      expect(entity.secrets.nodes).toHaveLength(10);
    }
  });

  it('can be 1,000 secrets', async () => {
    const ids = everyRecord.map(({ id }) => id);
    const { data, errors } = await gateway.run(short, { representations: ids.map(secret) }, { token });
    expect(errors).toEqual([]);
    expect(data._entities.map((entity: { id: string }) => entity.id)).toEqual(ids);
  });

  if (store !== 'mongodb') return;
  describe('take few commands of the store', () => {
    /** The commands of the gateway, as recorded by the server. */
    async function commandsFor(all: Representation[]): Promise<string[]> {
      const client = new MongoClient(gateway.databaseUrl);
      try {
        const database = client.db();
        await database.command({ profile: 2 });
        const { errors } = await gateway.run(short, { representations: all }, { token });
        await database.command({ profile: 0 });
        expect(errors).toEqual([]);
        const profile = database.collection('system.profile');
        const seen = await profile.find({ appName: 'secrets-gateway' }).toArray();
        await profile.drop();
        return seen.map(({ command, ns }) => `${Object.keys(command)[0]} ${ns}`.replace(database.databaseName, 'in'));
      } finally {
        await client.close();
      }
    }

    it('for 1,000 secrets', async () => {
      expect(await commandsFor(everyRecord.map(({ id }) => secret(id)))).toEqual(['find in.secrets']);
    });

    it('for the lists of 100 owners two: the first reads 1,000 rows at most, and says how long rows are', async () => {
      const expected = ['aggregate in.secrets', 'aggregate in.secrets'];
      expect(await commandsFor(representations.slice(0, 100))).toEqual(expected);
    });

    it('for each kind, when they are mixed', async () => {
      const mixed = representations.flatMap((one, index) => [one, secret(everyRecord[index]?.id ?? '')]).slice(0, 1000);
      const commands = (await commandsFor(mixed)).sort();
      expect(commands.filter((command) => command === 'find in.secrets')).toHaveLength(1);
      expect(commands.length).toBeLessThanOrEqual(8);
    });
  });
});
