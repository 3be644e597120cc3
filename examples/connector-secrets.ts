// The secrets of a team's connector. A create answers with the updated list; a list has placeholders and names.
import { run } from './client.ts';
import {
  ConnectorSecretsDocument,
  CreateConnectorSecretDocument,
  DeleteSecretDocument,
  ReplaceConnectorSecretDocument,
} from './documents.ts';

const connector = { teamId: 'demo', connectorId: 'example-connector' };

const { createSecret } = await run(CreateConnectorSecretDocument, {
  ...connector,
  name: 'client_secret',
  value: 'a-value-that-nobody-sees-again',
});
const { id, name, placeholder } = createSecret.secret;
console.log(`created ${name}; a template refers to it as ${placeholder}`);
console.log(`the connector has ${createSecret.secrets?.totalCount} in all`);

const { secrets } = await run(ConnectorSecretsDocument, { ...connector, first: 10 });
for (const secret of secrets.nodes) console.log(`- ${secret.placeholder} ${secret.name}`);

const { updateSecret } = await run(ReplaceConnectorSecretDocument, { id, value: 'the-value-after-it' });
console.log(`replaced: version ${updateSecret.secret.version}, still ${updateSecret.secret.placeholder}`);

await run(DeleteSecretDocument, { id });
console.log('deleted');
