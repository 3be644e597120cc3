// A user's own secrets. Stores a provider's key under the name of its environment variable, or replaces the one that is there.
import { GatewayError, run } from './client.ts';
import {
  CreateProviderSecretDocument,
  ProviderSecretsDocument,
  ReplaceProviderSecretDocument,
  ViewerDocument,
} from './documents.ts';

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
