import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyChain } from '../../src/audit/verify-chain.ts';
import type { AuditEvent } from '../../src/model/audit-event.ts';
import type { Owner } from '../../src/model/owner.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { type DatabaseWriter, openDatabaseWriter, type Row } from '../support/database-writer.ts';
import { newRecipient, opened, resolve, resolver, type TestRecipient } from '../support/deliveries.ts';
import { type GraphQLAnswer, keyringOf, storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, deleteSecret, updateSecret } from '../support/graphql.ts';
import { refuseEvents } from '../support/refuse-events.ts';

const team = { teamId: 'red' };
const connector = (connectorId: string) => ({ teamId: 'red', connectorId });

describe.each(storeNames)('a delivery on %s', (name) => {
  let gateway: TestGateway;
  let store: Store;
  let writer: DatabaseWriter;
  let recipient: TestRecipient;
  let token: string;

  beforeAll(async () => {
    gateway = await TestGateway.start(name, { RATE_LIMIT: 'off' });
    store = await openStore(gateway.databaseUrl);
    writer = openDatabaseWriter(gateway.databaseUrl);
    recipient = await newRecipient();
    token = await resolver(gateway);
  });
  afterAll(async () => {
    await store.close();
    await writer.close();
    await gateway.close();
  });

  async function create(owner: object, secret: string, value: string): Promise<string> {
    const { data, text } = await gateway.run(createSecret(), { input: { owner, name: secret, value } });
    if (!data) throw new Error(text);
    return data.createSecret.secret.id;
  }
  const ownerOf = (owner: { teamId: string; connectorId?: string }): Owner =>
    owner.connectorId === undefined
      ? { type: 'team', teamId: owner.teamId }
      : { type: 'connector', teamId: owner.teamId, connectorId: owner.connectorId };
  const eventsOf = async (owner: { teamId: string; connectorId?: string }): Promise<AuditEvent[]> =>
    store.auditEvents(ownerOf(owner), 0, 10_000);
  const deliveriesOf = async (owner: { teamId: string; connectorId?: string }) =>
    (await eventsOf(owner)).filter(({ type }) => type === 'secret.resolved');
  const ask = (input: Record<string, unknown>) => resolve(gateway, input, { recipient, token });

  it('has one event for each secret, with its version and the purpose, and who, under the request', async () => {
    const owner = connector('events');
    const ids = [await create(owner, 'a', 'value a'), await create(owner, 'b', 'value b')];
    await gateway.run(updateSecret(), { input: { id: ids[1], value: 'value b2' } });
    const answer = await ask({ owner, purpose: 'De\u0301ploy 🚀' });
    expect(await opened(answer, recipient)).toEqual({ a: 'value a', b: 'value b2' });
    const events = await deliveriesOf(owner);
    expect(events).toMatchObject([
      { secretId: ids[0], version: 1, purpose: 'Déploy 🚀', actor: { kind: 'user', id: 'ada' } },
      { secretId: ids[1], version: 2, purpose: 'Déploy 🚀', requestId: answer.headers.get('x-request-id') },
    ]);
    expect((await ask({ owner, names: ['a'] })).status).toBe(200);
    expect((await deliveriesOf(owner)).at(-1)).not.toHaveProperty('purpose');
    const verdict = await verifyChain(store, ownerOf(owner), await keyringOf(gateway));
    expect(verdict).toMatchObject({ valid: true });
  });

  it('shows neither its purpose, nor what was asked for, nor a sealed value in the log', async () => {
    const owner = connector('quiet');
    await create(owner, 'a', 'value a');
    const [purpose, missing] = [`purpose-${crypto.randomUUID()}`, `missing-${crypto.randomUUID()}`];
    const { text } = await ask({ owner, names: ['a', missing], purpose });
    const [, jwe = 'none'] = /"jwe":"([^"]+)"/.exec(text) ?? [];
    expect(text).toContain(missing);
    const log = gateway.log.join('');
    expect(log).toContain('resolveSecrets');
    for (const hidden of [purpose, missing, jwe.slice(0, 40), jwe.slice(-40), String(recipient.publicJwk.x)]) {
      expect(log).not.toContain(hidden);
    }
    expect(text).not.toContain(purpose);
  });

  it('with one record among 100 that something else changed delivers none of them, and audits none', async () => {
    const owner = connector('tampered');
    const ids = await Promise.all(
      Array.from({ length: 100 }, (_, index) => create(owner, `n${index}`, `value ${index}`)),
    );
    const [victim = '', other = ''] = [ids[57], ids[3]];
    const [row = {}, another = {}] = await writer.records([victim, other]);
    const changes: Record<string, Row> = {
      'another placeholder': { ...row, placeholder: 'sec_ffffffff1' },
      'another version': { ...row, version: 7 },
      'the value of another': { ...row, envelope: another.envelope, sealed_tag: another.sealed_tag },
      'an envelope that does not open': { ...row, envelope: changedEnvelope(row.envelope) },
    };
    for (const [what, changed] of Object.entries(changes)) {
      await writer.replaceRecords([victim], [changed]);
      gateway.log.length = 0;
      const answer = await ask({ owner, names: Array.from({ length: 100 }, (_, index) => `n${index}`) });
      expect([what, answer.status, answer.errors[0]?.extensions.code]).toEqual([what, 500, 'INTERNAL_SERVER_ERROR']);
      expect(answer.data).toBeNull();
      expect(answer.text).not.toContain('jwe');
      expect(gateway.log.join('')).toContain(victim);
    }
    expect(await deliveriesOf(owner)).toEqual([]);
    await writer.replaceRecords([victim], [row]);
    expect((await ask({ owner })).data.resolveSecrets.deliveries).toHaveLength(100);
  });

  it('with a key that the keyring lacks names it, and delivers nothing', async () => {
    const owner = connector('keyless');
    await create(owner, 'a', 'value a');
    const id = await create(owner, 'b', 'value b');
    const [row = {}] = await writer.records([id]);
    await writer.replaceRecords(
      [id],
      [{ ...row, envelope: changedEnvelope(row.envelope, { alg: 'A256KW', kid: 'kek-lost' }) }],
    );
    const { status, errors, data } = await ask({ owner });
    expect([status, data]).toEqual([503, null]);
    expect(errors[0]?.extensions).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      description: expect.stringContaining('kek-lost'),
      retryAfter: 60,
    });
    expect(await deliveriesOf(owner)).toEqual([]);
  });

  it('whose audit cannot be written is no delivery', async () => {
    const owner = connector('unaudited');
    await create(owner, 'a', 'value a');
    const allow = await refuseEvents(name, gateway.databaseUrl, 'secret.resolved');
    try {
      const { status, data, errors, text } = await ask({ owner });
      expect([status, data, errors[0]?.extensions.code]).toEqual([500, null, 'INTERNAL_SERVER_ERROR']);
      expect(text).not.toContain('jwe');
      // Other writes are not affected.
      await create(owner, 'b', 'value b');
    } finally {
      await allow();
    }
    expect(await deliveriesOf(owner)).toEqual([]);
    expect((await ask({ owner })).data.resolveSecrets.deliveries).toHaveLength(2);
  });

  it('tells in its events exactly what was delivered, whatever is changed and deleted meanwhile', async () => {
    const owner = connector('busy');
    const ids = await Promise.all(Array.from({ length: 6 }, (_, index) => create(owner, `n${index}`, `${index} v1`)));
    const changes = ids.map(async (id, index) => {
      for (let version = 2; version < 8; version += 1) {
        await gateway.run(updateSecret(), { input: { id, value: `${index} v${version}` } });
      }
      if (index % 2) await gateway.run(deleteSecret, { input: { id } });
    });
    const answers: GraphQLAnswer[] = [];
    const asks = [0, 10, 20].map(async (from) => {
      for (let index = from; index < from + 8; index += 1)
        answers[index] = await ask({ owner, purpose: `ask ${index}` });
    });
    await Promise.all([...changes, ...asks]);
    answers[99] = await ask({ owner, purpose: 'ask 99' });

    const events = await eventsOf(owner);
    const current = new Map<string, number>();
    for (const { type, secretId = '', version = 0 } of events) {
      if (type === 'secret.resolved') expect(version).toBe(current.get(secretId));
      else if (type === 'secret.deleted') current.delete(secretId);
      else current.set(secretId, version);
    }
    for (const [index, answer] of Object.entries(answers)) {
      const audited = events.filter(({ purpose }) => purpose === `ask ${index}`);
      const delivered = answer.data?.resolveSecrets.deliveries ?? [];
      expect(delivered.map(({ secret }: { secret: Row }) => [secret.id, secret.version])).toEqual(
        audited.map(({ secretId, version }) => [secretId, version]),
      );
      for (const { secret } of delivered) {
        const values = await opened(answer, recipient);
        expect(values[secret.name]).toBe(`${secret.name.slice(1)} v${secret.version}`);
      }
    }
    expect(answers[99]?.data.resolveSecrets.deliveries).toHaveLength(3);
  });

  it('of a secret that something else gave another owner is not made to that owner', async () => {
    const id = await create(connector('from'), 'stolen', 'value of another owner');
    await create(team, 'own', 'value of the team');
    const [row = {}] = await writer.records([id]);
    await writer.replaceRecords([id], [{ ...row, owner: 'team:red' }]);
    const { status, text } = await ask({ owner: team });
    expect([status, text.includes('jwe')]).toEqual([500, false]);
    await writer.replaceRecords([id], [row]);
  });
});

/** The envelope in the form in which the store holds it, with another header or another first character. */
function changedEnvelope(envelope: unknown, header?: object): unknown {
  const parsed = typeof envelope === 'string' ? JSON.parse(envelope) : envelope;
  const flipped = (parsed.ciphertext[0] === 'A' ? 'B' : 'A') + parsed.ciphertext.slice(1);
  const changed = header ? { ...parsed, header } : { ...parsed, ciphertext: flipped };
  return typeof envelope === 'string' ? JSON.stringify(changed) : changed;
}
