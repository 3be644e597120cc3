import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sealValue } from '../../src/client/seal-value.ts';
import { CommandLine, type RunningGateway } from '../support/command-line.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';
import { newName } from '../support/sealing.ts';

describe.each(storeNames)('a gateway that is killed while it writes sealed values, on %s', (store) => {
  let shell: CommandLine;
  beforeEach(async () => {
    shell = await CommandLine.open();
  });
  afterEach(() => shell.close());

  it('has spent the sealed values of the secrets that are there, and no other', { timeout: 60_000 }, async () => {
    const env = { DATABASE_URL: newDatabaseUrl(store, shell.directory), RATE_LIMIT: 'off' };
    const killed = await shell.serve(env);
    const [sealingKey] = (await killed.run('{ sealingKeys { kid alg jwk } }')).data.sealingKeys;
    const inputs = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const name = newName();
        const sealedValue = await sealValue('a value', { sealingKey, subject: 'developer', name });
        return { name, provider: 'openai', sealedValue };
      }),
    );
    const send = (gateway: RunningGateway, input: object) => gateway.run(createSecret(), { input });
    const sent = inputs.map((input) => send(killed, input).then(({ data }) => data !== null));
    await Promise.any(sent);
    await killed.stop('SIGKILL');
    const acknowledged = await Promise.all(sent.map((one) => one.catch(() => false)));

    const gateway = await shell.serve(env);
    const { data } = await gateway.run('{ secrets(first: 1000) { nodes { name } } }');
    const written = new Set(data.secrets.nodes.map((node: { name: string }) => node.name));
    expect(written.size).toBeGreaterThan(0);
    const answers = await Promise.all(inputs.map((input) => send(gateway, input)));
    for (const [index, { name }] of inputs.entries()) {
      const extensions = answers[index]?.errors?.[0].extensions;
      // A transaction that the killed gateway had open keeps its owner from others for a while.
      if (store === 'mongodb' && ['SERVICE_UNAVAILABLE', 'GATEWAY_TIMEOUT'].includes(extensions?.code)) continue;
      const isSpent = extensions?.errors?.[0].type === 'replayed';
      expect(isSpent).toBe(written.has(name));
      if (acknowledged[index]) expect(isSpent).toBe(true);
      else if (!isSpent) expect(extensions).toBe(undefined);
    }
  });
});
