// A program uses a key that it never holds: the gateway puts it in on the way to the service that it is for.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { client, token } from './connect.ts';

const value = 'sk-example-9f2c1e7a4b8';

// Stands for a service that takes keys. It even tells what it was sent.
const service = createServer((request, response) => {
  const withKey = request.headers.authorization === `Bearer ${value}` ? 'with the key' : 'without the key';
  console.log(`the service was asked for ${request.url}, ${withKey}`);
  response.end(`hello, you sent ${request.headers.authorization}`);
}).listen(0, '127.0.0.1');
await once(service, 'listening');

const { secret: created } = await client.createSecret({
  owner: { teamId: 'demo' },
  name: 'key of the greeting service',
  value,
  destination: { origin: `http://127.0.0.1:${(service.address() as AddressInfo).port}`, paths: ['/v1'] },
});

const secret = await client.secret(created.id);

// What an SDK does that has `useUrl` as its base URL, and a credential of the gateway as its API key.
const headers = { authorization: `Bearer ${token}` };
const answer = await fetch(`${secret?.useUrl}/v1/hello`, { headers });
console.log(`the program read: ${await answer.text()}`);

const refused = await fetch(`${secret?.useUrl}/v2/hello`, { headers });
const { code, errors } = await refused.json();
console.log(`/v2/hello: ${refused.status} ${code}, ${errors[0].type}`);

await client.deleteSecret({ id: created.id });
console.log('deleted');
service.close();
service.closeAllConnections();
