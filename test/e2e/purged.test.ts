import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandLine } from '../support/command-line.ts';
import { openDatabaseWriter } from '../support/database-writer.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, deleteSecret, updateSecret } from '../support/graphql.ts';
import { stored } from '../support/stored.ts';

const shown = 'id name placeholder notes tags maskedValue version';
const rollback = `mutation ($input: RollbackSecretInput!) { rollbackSecret(input: $input) { secret { ${shown} } } }`;
const restore = `mutation ($input: RestoreSecretInput!) { restoreSecret(input: $input) { secret { ${shown} } } }`;
const purge = 'mutation ($input: PurgeSecretInput!) { purgeSecret(input: $input) { id } }';
/** SQLite erases within seconds. */
const soon = { timeout: 20_000, interval: 250 };

interface Marked {
  readonly id: string;
  readonly name: string;
  readonly events: number;
  /** What must be in the store before the purge, and in no part of it afterwards. */
  readonly traces: ReadonlyMap<string, string>;
}

describe.each(storeNames)('what is purged, on %s', (storeName) => {
  let gateway: TestGateway;
  let token: string;

  beforeAll(async () => {
    gateway = await TestGateway.start(storeName, { RATE_LIMIT: 'off' });
    token = await gateway.issuer.token({ sub: 'ada', scope: 'secrets:read secrets:write keys:manage' });
  });
  afterAll(() => gateway?.close());

  async function run(query: string, variables: Record<string, unknown> = {}) {
    const answer = await gateway.run(query, variables, { token });
    expect(answer.errors).toEqual([]);
    return answer.data;
  }

  /** With an idempotency key, so that its result is kept. */
  const call = (query: string, input: object) => run(query, { input: { ...input, idempotencyKey: randomUUID() } });

  async function eventsOf(id: string) {
    const query =
      'query ($id: ID) { auditEvents(filter: { secretId: $id }) { nodes { type secretName actor { kind id } } } }';
    return (await run(query, { id })).auditEvents.nodes;
  }

  /** A secret with several values, whose mutations all had idempotency keys. */
  async function marked(): Promise<Marked> {
    const marks = Array.from({ length: 8 }, (_, index) => [`mark ${index}`, `marker-${randomUUID()}`] as const);
    const [notes = '', tag = '', laterNotes = '', laterTag = '', ...heads] = marks.map(([, mark]) => mark);
    const values = heads.map(
      (head) => `${head.slice(-12)} is a value that is long enough to be masked ${head.slice(7, 15)}`,
    );
    const name = `NAME_${randomUUID().replaceAll('-', '_')}`;
    const create = createSecret(shown);
    const { secret } = (await call(create, { name, provider: 'openai', value: values[0], notes, tags: [tag] }))
      .createSecret;
    const { id } = secret;
    const traces = new Map<string, string>([...marks.slice(0, 4), ['placeholder', secret.placeholder]]);
    const masks = [secret.maskedValue];
    for (const value of values.slice(1)) {
      const { updateSecret: updated } = await call(updateSecret(shown), {
        id,
        value,
        notes: laterNotes,
        tags: [tag, laterTag],
      });
      masks.push(updated.secret.maskedValue);
    }
    await call(rollback, { id, toVersion: 1 });
    await call(deleteSecret, { id });
    await call(restore, { id });
    for (const [index, mask] of masks.entries()) traces.set(`mask ${index}`, mask);
    for (const [trace, text] of await sealedParts(id)) traces.set(trace, text);
    // All of them are found now: each search is one that can succeed. Earlier notes are in what is kept of the calls.
    await expect.poll(() => found(traces), soon).toEqual([...traces.keys()]);
    return { id, name, events: (await eventsOf(id)).length, traces };
  }

  /** The ciphertexts and wrapped keys of all values of a secret. */
  async function sealedParts(id: string): Promise<[string, string][]> {
    const writer = openDatabaseWriter(gateway.databaseUrl);
    try {
      const versions = (await writer.versions()).filter((row) => row.secret_id === id);
      const rows = [...(await writer.records([id])), ...versions];
      expect(rows).toHaveLength(5);
      return rows.flatMap(({ envelope }, index) => {
        const { ciphertext, encrypted_key, iv, tag } = typeof envelope === 'string' ? JSON.parse(envelope) : envelope;
        return Object.entries({ ciphertext, encrypted_key, iv, tag }).map(([part, text]): [string, string] => [
          `${part} ${index}`,
          text,
        ]);
      });
    } finally {
      await writer.close();
    }
  }

  async function found(traces: ReadonlyMap<string, string>): Promise<string[]> {
    const bytes = await stored(gateway);
    return [...traces].filter(([, text]) => bytes.includes(text)).map(([trace]) => trace);
  }

  async function expectGone({ id, name, events, traces }: Marked, actor: object): Promise<void> {
    await expect.poll(() => found(traces), soon).toEqual([]);
    const all = await eventsOf(id);
    expect(all).toHaveLength(events + 1);
    expect(all.at(-1)).toEqual({ type: 'secret.purged', secretName: name, actor });
    const again = await gateway.run(
      createSecret(),
      { input: { id, name, provider: 'aws', value: 'a value' } },
      { token },
    );
    expect(again.errors[0]?.extensions).toMatchObject({ code: 'CONFLICT_ERROR', errors: [{ field: 'id' }] });
    expect((await stored(gateway)).includes(name)).toBe(true);
  }

  async function purgeUser(user: string) {
    const shell = await CommandLine.open();
    try {
      const env = { DATABASE_URL: gateway.databaseUrl, KEYRING_FILE: join(gateway.directory, 'keyring.json') };
      return await shell.run(['purge', '--user', user, '--yes'], env);
    } finally {
      await shell.close();
    }
  }

  it('by purgeSecret is in no file and no collection, live or deleted; its events and its id stay', async () => {
    const [live, deleted, kept] = [await marked(), await marked(), await marked()];
    await call(deleteSecret, { id: deleted.id });
    const more = { ...deleted, events: deleted.events + 1 };
    for (const { id } of [live, deleted]) expect((await call(purge, { id })).purgeSecret).toEqual({ id });
    const actor = { kind: 'USER', id: 'ada' };
    await expectGone(live, actor);
    await expectGone(more, actor);
    expect(await found(kept.traces)).toEqual([...kept.traces.keys()]);
  });

  it('by an operator, with all secrets of the user, is in no file and no collection; nor is what was kept of calls', async () => {
    const [live, deleted] = [await marked(), await marked()];
    await call(deleteSecret, { id: deleted.id });
    // What is kept of this call tells of no secret.
    const gone = await marked();
    await call(purge, { id: gone.id });
    const writer = openDatabaseWriter(gateway.databaseUrl);
    try {
      const ofAda = async () => (await writer.keptResults()).filter(({ principal }) => principal === 'user:ada');
      expect((await ofAda()).length).toBeGreaterThan(0);
      expect(await purgeUser('ada')).toMatchObject({ code: 0 });
      expect(await ofAda()).toEqual([]);
    } finally {
      await writer.close();
    }
    const actor = { kind: 'SYSTEM', id: 'operator' };
    await expectGone(live, actor);
    await expectGone({ ...deleted, events: deleted.events + 1 }, actor);
  });

  it('in the background, once its time has passed, is in no file and no collection', async () => {
    const secret = await marked();
    await call(deleteSecret, { id: secret.id });
    await gateway.stop();
    await gateway.launch({ RATE_LIMIT: 'off', DELETED_RETENTION: '1s' });
    await expect.poll(async () => (await eventsOf(secret.id)).at(-1).type, soon).toBe('secret.purged');
    // SQLite erases when it is closed, too.
    await gateway.stop();
    await gateway.launch({ RATE_LIMIT: 'off' });
    await expectGone({ ...secret, events: secret.events + 1 }, { kind: 'SYSTEM', id: 'retention' });
  });
});
