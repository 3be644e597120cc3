// A team's secrets. The client chooses the id; notes and tags; the value may be set later.
import { randomUUID } from 'node:crypto';
import { run } from './client.ts';
import {
  ControllerSecretsDocument,
  CreateControllerSecretDocument,
  DeleteSecretDocument,
  UpdateControllerSecretDocument,
} from './documents.ts';

const teamId = 'demo';
const id = randomUUID();

const { createSecret } = await run(CreateControllerSecretDocument, {
  input: {
    id,
    owner: { teamId },
    name: 'switch in rack 7',
    notes: 'Password of the admin user.',
    tags: ['network', 'rack-7'],
  },
});
const { name, version, maskedValue } = createSecret.secret;
console.log(`declared ${name}: version ${version}, value ${maskedValue ?? 'not set yet'}`);

// A field that is left out keeps its value. expectedVersion: fails if somebody else has changed the secret.
const withValue = await run(UpdateControllerSecretDocument, {
  input: { id, value: 'correct-horse-battery-staple', expectedVersion: version },
});
console.log(
  `set: version ${withValue.updateSecret.secret.version}, value ${withValue.updateSecret.secret.maskedValue}`,
);

const { secrets } = await run(ControllerSecretsDocument, { teamId, filter: { tags: ['rack-7'] } });
for (const secret of secrets.nodes) console.log(`- ${secret.name} [${secret.tags.join(', ')}] ${secret.notes}`);

await run(DeleteSecretDocument, { id });
console.log('deleted');
