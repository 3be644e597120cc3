// A workload gets a value that another client sealed. Nothing between the two, but the gateway itself, ever has it in clear.
import { createRecipient, openDelivery } from '../src/client/index.ts';
import { client } from './connect.ts';

const owner = { teamId: 'demo' };
const { secret } = await client.createSecret({
  owner,
  name: 'database of the nightly import',
  value: 'p4ssw0rd-of-import',
});

// In one call: the values, delivered to a key that exists for this call.
const { secrets, missing } = await client.resolve({
  owner,
  names: [secret.name, 'something else'],
  purpose: 'nightly import',
});
for (const { name, version, value } of secrets) console.log(`${name}, version ${version}: ${value}`);
console.log(`missing: ${missing}`);

// Or step by step, with a key that lives as long as the workload.
const { publicJwk, privateKey } = await createRecipient();
const { deliveries } = await client.resolveSecrets({ owner, ids: [secret.id], recipient: publicJwk });
for (const { jwe } of deliveries) {
  const { value, secretId } = await openDelivery(jwe, privateKey);
  console.log(secretId === secret.id ? `opened: ${value}` : 'another secret');
}

await client.deleteSecret({ id: secret.id });
console.log('deleted');
