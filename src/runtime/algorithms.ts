/**
 * Signature algorithms that tokens may have (RFC 7518, RFC 8037, RFC 9864). None of them uses a secret that both sides know.
 * EdDSA includes Ed25519, its name since RFC 9864.
 */
export const signatureAlgorithms = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
] as const;

/** What most issuers sign with. */
export const defaultAlgorithms = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const;
