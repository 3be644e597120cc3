import { client } from '../connect.ts';

/** Where requests that use a secret are sent, instead of to its provider. */
export async function useUrlOf(name: string): Promise<string> {
  const { nodes } = await client.secrets({ filter: { name } });
  const useUrl = nodes[0]?.useUrl;
  if (useUrl != null) return useUrl;
  console.error(`There is no secret ${name} that can be used. Set it: npx secrets-gateway set ${name}`);
  process.exit(1);
}
