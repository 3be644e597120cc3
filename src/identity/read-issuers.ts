import { usualClaims } from './claims.ts';
import type { IssuerSettings } from './issuer-settings.ts';

/** What JWT_ISSUER and the settings beside it say. */
export interface OneIssuer {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly jwks: { readonly url: string } | { readonly file: string } | null;
  readonly algorithms: readonly string[];
}

/**
 * The issuers of the settings: those of ISSUERS_FILE, or the one of JWT_ISSUER.
 * @throws ConfigurationError
 */
export async function readIssuers(source: OneIssuer | { readonly issuersFile: string }): Promise<IssuerSettings[]> {
  if ('issuersFile' in source) {
    // Loaded where there is such a file: most gateways have one issuer.
    const { readIssuersFile } = await import('./issuers-file.ts');
    return readIssuersFile(source.issuersFile);
  }
  const { jwks } = source;
  return [
    {
      ...source,
      jwks: jwks && 'file' in jwks ? { ...jwks, variable: 'JWT_JWKS_FILE' } : jwks,
      audienceClaim: ['aud'],
      allowHttp: false,
      claims: usualClaims,
    },
  ];
}
