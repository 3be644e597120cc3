// The secrets of a team's connector, with documents of its own: a create answers with the updated list in the same round trip.
import { client } from './connect.ts';
import { ConnectorSecretsDocument, CreateConnectorSecretDocument, DeleteSecretDocument } from './documents.ts';

const connector = { teamId: 'demo', connectorId: 'example-connector' };

// Codegen gave the documents the types of their variables and answers. This one sends its value as it is, over TLS.
const { createSecret } = await client.request(CreateConnectorSecretDocument, {
  ...connector,
  name: 'client_secret',
  value: 'a-value-that-nobody-sees-again',
});
const { id, name, placeholder } = createSecret.secret;
console.log(`created ${name}; a template refers to it as ${placeholder}`);
console.log(`the connector has ${createSecret.secrets?.totalCount} in all`);

const { secrets } = await client.request(ConnectorSecretsDocument, { ...connector, first: 10 });
for (const secret of secrets.nodes) console.log(`- ${secret.placeholder} ${secret.name}`);

// The client's own operations seal their values.
const { secret } = await client.updateSecret({ id, owner: connector, value: 'the-value-after-it' });
console.log(`replaced: version ${secret.version}, still ${secret.placeholder}`);

await client.request(DeleteSecretDocument, { id });
console.log('deleted');
