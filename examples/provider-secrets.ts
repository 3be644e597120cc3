// A user's own secrets: keeps a provider's key under its environment variable name, whether it is new or a new one.
import { GatewayError, run } from './client.ts';
import {
  CreateProviderSecretDocument,
  ProviderSecretsDocument,
  ReplaceProviderSecretDocument,
  ViewerDocument,
} from './operations.ts';

const name = 'OPENAI_API_KEY';
const value = 'sk-proj-9f2c1e7a4b8d6053e1c7a9d2f4b6789';

const { viewer } = await run(ViewerDocument, {});
console.log(`calling as ${viewer.subject}`);

try {
  const { createSecret } = await run(CreateProviderSecretDocument, { name, provider: 'openai', value });
  console.log(`created ${name} ${createSecret.secret.maskedValue}`);
} catch (error) {
  if (!(error instanceof GatewayError && error.code === 'CONFLICT_ERROR')) throw error;
  const { secrets } = await run(ProviderSecretsDocument, { filter: { name } });
  for (const { id } of secrets.nodes) {
    const { updateSecret } = await run(ReplaceProviderSecretDocument, { id, value });
    console.log(`replaced ${name} ${updateSecret.secret.maskedValue}`);
  }
}

const { secrets } = await run(ProviderSecretsDocument, {});
for (const secret of secrets.nodes) console.log(`- ${secret.name} (${secret.provider}) ${secret.maskedValue}`);
