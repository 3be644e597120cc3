import type { TestGateway } from './gateway.ts';

/** A team's admin who may do everything. */
export const adminClaims = {
  sub: 'grace',
  teams: [{ id: 'red', role: 'admin' }],
  scope: 'secrets:read secrets:write secrets:resolve secrets:use secrets:match keys:manage',
};

export interface NewApiKey {
  teamId: string;
  connectorId?: string;
  name: string;
  scopes: string[];
  expiresAt?: string;
}

export interface MadeApiKey {
  id: string;
  key: string;
}

export const apiKeyFields =
  'id teamId connectorId name prefix scopes createdAt createdBy { kind id } expiresAt lastUsedAt revokedAt';

export const createApiKey = `mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { apiKey { ${apiKeyFields} } key }
}`;
export const rotateApiKey = `mutation ($input: RotateApiKeyInput!) {
  rotateApiKey(input: $input) { apiKey { ${apiKeyFields} } key }
}`;
export const revokeApiKey = `mutation ($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) { apiKey { ${apiKeyFields} } }
}`;

/** Makes an API key as the team's admin. */
export async function newApiKey(gateway: TestGateway, fields: Partial<NewApiKey> = {}): Promise<MadeApiKey> {
  const input = { teamId: 'red', name: 'deploy', scopes: ['secrets:read', 'secrets:write'], ...fields };
  const teams = [{ id: input.teamId, role: 'admin' }];
  const token = await gateway.issuer.token({ ...adminClaims, teams });
  const { data, text } = await gateway.run(createApiKey, { input }, { token });
  if (!data?.createApiKey) throw new Error(`no key was made: ${text}`);
  return { id: data.createApiKey.apiKey.id, key: data.createApiKey.key };
}

/** Sends an API key, and no token. */
export function withApiKey(key: string): { token: null; headers: Record<string, string> } {
  return { token: null, headers: { 'x-api-key': key } };
}
