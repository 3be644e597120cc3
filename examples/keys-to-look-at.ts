// Which keys are dead, unused or about to expire? One request asks, and a table shows them. It makes the keys that it asks about.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { client, token } from './connect.ts';
import { KeysToLookAtDocument, type KeysToLookAtQuery } from './documents.ts';

const owner = { teamId: 'demo', connectorId: 'example-keys' };
const inDays = (days: number) => new Date(Date.now() + days * 24 * 60 * 60 * 1000).toISOString();

// Stands for a service that does not take the second key any more.
const service = createServer((request, response) => {
  response.writeHead(request.headers.authorization === 'Bearer sk-example-revoked' ? 401 : 200).end();
}).listen(0, '127.0.0.1');
await once(service, 'listening');
const destination = { origin: `http://127.0.0.1:${(service.address() as AddressInfo).port}` };

const keys = [
  { name: 'in order', value: 'sk-example-in-order', isUsed: true },
  { name: 'revoked', value: 'sk-example-revoked', isUsed: true },
  { name: 'never used', value: 'sk-example-never-used', isUsed: false },
  { name: 'due in a week', value: 'sk-example-due', isUsed: true, expiresAt: inDays(7) },
];
const ids: string[] = [];
for (const { isUsed, ...key } of keys) {
  const { secret } = await client.createSecret({ owner, destination, ...key });
  ids.push(secret.id);
  const found = isUsed ? await client.secret(secret.id) : null;
  if (found) await fetch(`${found.useUrl}/v1/hello`, { headers: { authorization: `Bearer ${token}` } });
}

const lists = await client.request(KeysToLookAtDocument, {
  owner,
  unusedSince: inDays(-90),
  dueBefore: inDays(30),
  first: 100,
});
for (const row of table(lists))
  console.log(
    row
      .map((cell) => cell.padEnd(14))
      .join(' ')
      .trimEnd(),
  );

for (const id of ids) await client.deleteSecret({ id });
service.close();
service.closeAllConnections();

/** A key may be in several lists. Here it has one row. */
function table({ dead, unused, due }: KeysToLookAtQuery): string[][] {
  const rows = new Map<string, { cells: string[]; reasons: string[] }>();
  for (const [reason, { nodes }] of Object.entries({ dead, unused, due })) {
    for (const { id, name, health, lastUsedAt, expiresAt } of nodes) {
      const cells = [name, health?.status ?? '–', lastUsedAt?.slice(0, 10) ?? '–', expiresAt?.slice(0, 10) ?? '–'];
      const row = rows.get(id) ?? { cells, reasons: [] };
      row.reasons.push(reason);
      rows.set(id, row);
    }
  }
  const head = ['NAME', 'HEALTH', 'LAST USED', 'EXPIRES', 'WHY'];
  return [head, ...[...rows.values()].map(({ cells, reasons }) => [...cells, reasons.join(', ')])];
}
