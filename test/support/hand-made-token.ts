/** A JWT by its form, with a signature that is none. */
export function handMadeToken(
  claims: Record<string, unknown>,
  header: Record<string, unknown> = { alg: 'ES256' },
): string {
  const parts = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  return [...parts, Buffer.alloc(64, 7).toString('base64url')].join('.');
}

/** Of an issuer of the gateway, for the gateway. */
export const ownIssuer = { issuer: 'https://issuer.test', audience: ['secrets-gateway'], audienceClaim: ['aud'] };
export const ownToken = handMadeToken({ iss: 'https://issuer.test', aud: ['other', 'secrets-gateway'], sub: 'ada' });
export const foreignToken = handMadeToken({ iss: 'https://elsewhere.test', aud: 'secrets-gateway', sub: 'ada' });
