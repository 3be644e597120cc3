import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CommandLine } from '../support/command-line.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';
import { Issuer } from '../support/issuer.ts';
import { Upstream } from '../support/upstream.ts';

interface Page {
  nodes: { requestId: string }[];
  pageInfo: { hasNextPage: boolean; endCursor: string };
}

describe.each(storeNames)('a gateway that is killed while it uses secrets, on %s', (store) => {
  let shell: CommandLine;
  let issuer: Issuer;
  let upstream: Upstream;
  beforeAll(async () => {
    issuer = await Issuer.start();
  });
  afterAll(() => issuer.close());
  beforeEach(async () => {
    [shell, upstream] = await Promise.all([CommandLine.open(), Upstream.start()]);
  });
  afterEach(async () => {
    await shell.close();
    await upstream.close();
  });

  it('has an event of each use that reached the upstream', { timeout: 60_000 }, async () => {
    const token = await issuer.token({ scope: 'secrets:read secrets:write secrets:use' });
    const env = {
      DATABASE_URL: newDatabaseUrl(store, shell.directory),
      ...issuer.settings,
      RATE_LIMIT: 'off',
    };
    const killed = await shell.serve(env);
    const input = {
      name: 'KEY',
      provider: 'custom',
      value: 'a value to be used',
      destination: { origin: upstream.origin },
    };
    const { data } = await killed.run(createSecret('id'), { input }, token);
    const url = new URL(`/v1/use/${data.createSecret.secret.id}/ok`, killed.url);
    // In the middle of them: some uses have ended, some wait for their events, some have not begun.
    const half = upstream.count(100).then(() => killed.stop('SIGKILL'));
    const client = async (number: number) => {
      for (let count = 0; count < 100; count += 1) {
        const headers = { authorization: `Bearer ${token}`, 'x-request-id': `use-${number}-${count}` };
        await (await fetch(url, { headers })).text();
      }
    };
    await Promise.allSettled(Array.from({ length: 20 }, (_, number) => client(number)));
    await half;

    const gateway = await shell.serve(env);
    const recorded = new Set<string>();
    for (let after: string | null = null; ; ) {
      const query = `query ($after: String) { auditEvents(filter: { types: ["secret.used"] }, first: 1000, after: $after) {
        nodes { requestId } pageInfo { hasNextPage endCursor } } }`;
      const { data: read } = await gateway.run(query, { after }, token);
      const page: Page = read.auditEvents;
      for (const { requestId } of page.nodes) recorded.add(requestId);
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor;
    }
    const arrived = upstream.arrived.map(({ head }) => /\r\nx-request-id: (\S+)\r\n/i.exec(head)?.[1]);
    expect(arrived.length).toBeGreaterThanOrEqual(100);
    expect(arrived.filter((requestId) => !recorded.has(requestId ?? ''))).toEqual([]);
  });
});
