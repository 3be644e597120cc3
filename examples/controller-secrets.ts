// A team's secrets. The client chooses the id; notes and tags; the value may be set later.
import { client } from './connect.ts';

const owner = { teamId: 'demo' };
const id = crypto.randomUUID();

const { secret } = await client.createSecret({
  id,
  owner,
  name: 'switch in rack 7',
  notes: 'Password of the admin user.',
  tags: ['network', 'rack-7'],
});
console.log(`declared ${secret.name}: version ${secret.version}`);

// A field that is left out keeps its value. expectedVersion: fails if somebody else has changed the secret.
await client.updateSecret({ id, owner, value: 'correct-horse-battery-staple', expectedVersion: secret.version });
const withValue = await client.secret(id);
console.log(`set: version ${withValue?.version}, value ${withValue?.maskedValue}`);

for await (const { name, tags, notes } of client.allSecrets({ owner, filter: { tags: ['rack-7'] } })) {
  console.log(`- ${name} [${tags.join(', ')}] ${notes}`);
}

await client.deleteSecret({ id });
console.log('deleted');
