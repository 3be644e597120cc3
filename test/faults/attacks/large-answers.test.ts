import { afterAll, beforeAll, expect, it } from 'vitest';
import { AttackedGateway, mebibyte } from '../../support/attacked-gateway.ts';
import { createSecret } from '../../support/graphql.ts';

let gateway: AttackedGateway;
beforeAll(async () => {
  gateway = await AttackedGateway.start();
});
afterAll(() => gateway.close());

it('does not cache all of 600 documents of 8 KB, which would take half a gigabyte', { timeout: 180_000 }, async () => {
  const before = await gateway.take();
  for (let made = 0; made < 600; made += 1) {
    const names = Array.from({ length: 165 }, (_, i) => `f${made}x${i}`);
    const fragments = names.map((name) => `fragment ${name} on Viewer{subject scopes}`).join(' ');
    const { status, text } = await gateway.run(
      `{ viewer { ${names.map((name) => `...${name}`).join(' ')} } } ${fragments}`,
    );
    expect([status, text.includes('"errors"')]).toEqual([200, false]);
  }
  const growth = (await gateway.take()).peakBytes - before.peakBytes;
  console.info(`${(growth / mebibyte).toFixed()} MiB more after 600 large documents`);
  expect(growth).toBeLessThan(500 * mebibyte);
});

it('keeps answering other clients while it writes an answer of 100,000 secrets', { timeout: 180_000 }, async () => {
  const owner = { teamId: 'red', connectorId: 'large' };
  for (let made = 0; made < 100; made += 1) {
    const input = { owner, name: `secret ${made}`, value: 'a value', tags: ['a', 'b'] };
    expect((await gateway.run(createSecret(), { input })).status).toBe(200);
  }
  const fields = 'id name placeholder provider notes tags maskedValue version createdAt updatedAt';
  const query = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Connector { secrets { nodes { ${fields} } } } } }`;
  const r = Array(1000).fill({ __typename: 'Connector', teamId: 'red', id: 'large' });
  await gateway.take();
  let [isMade, others] = [false, 0];
  const answered = gateway.run(query, { r }).finally(() => {
    isMade = true;
  });
  for (; !isMade; others += 1) await gateway.askAsOthersDo();
  const { status, text } = await answered;
  expect(status).toBe(200);
  expect(text.match(/"maskedValue"/g)).toHaveLength(100_000);
  const { longestPieceMs, cpuMs } = await gateway.take();
  console.info(
    `${text.length} bytes in ${cpuMs.toFixed()} ms, the longest piece of it ${longestPieceMs.toFixed(1)} ms; ${others} others were answered meanwhile`,
  );
  expect(others).toBeGreaterThan(20);
  // The last piece joins 25 MB into one answer, so it takes longer than any piece of an attack.
  expect(longestPieceMs).toBeLessThan(280);
});
