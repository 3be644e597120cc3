// A user's own secrets. Stores a provider's key under the name of its environment variable, or replaces the one that is there.
import { isGatewayError } from '../src/client/index.ts';
import { client, subject } from './connect.ts';

const name = 'OPENAI_API_KEY';
const value = 'sk-proj-9f2c1e7a4b8d6053e1c7a9d2f4b6789';

console.log(`calling as ${subject}`);

try {
  // The value is sealed before it leaves: nothing between here and the gateway can read it.
  await client.createSecret({ name, provider: 'openai', value });
  console.log(`created ${name}`);
} catch (error) {
  if (!isGatewayError(error, 'CONFLICT_ERROR')) throw error;
  const { nodes } = await client.secrets({ filter: { name } });
  for (const { id } of nodes) {
    const { secret } = await client.updateSecret({ id, value });
    console.log(`replaced ${name}: version ${secret.version}`);
  }
}

for await (const secret of client.allSecrets()) {
  console.log(`- ${secret.name} (${secret.provider}) ${secret.maskedValue}`);
}
