// The documents that most tests send, and their variables.

/** Creates a secret. @param fields of the secret @param beside other fields of the payload */
export function createSecret(fields = 'id', beside = ''): string {
  return `mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { ${fields} } ${beside} } }`;
}

/** Updates a secret. @param fields of the secret */
export function updateSecret(fields = 'id'): string {
  return `mutation ($input: UpdateSecretInput!) { updateSecret(input: $input) { secret { ${fields} } } }`;
}

export const deleteSecret = 'mutation ($input: DeleteSecretInput!) { deleteSecret(input: $input) { id } }';

/** A secret of the caller's own, with a name that no other has. */
export function newSecret(): { name: string; provider: string; value: string } {
  return { name: `S_${crypto.randomUUID().replaceAll('-', '')}`, provider: 'openai', value: 'a new value' };
}
