import { fetchJson } from './fetch-json.ts';
import { readJwks } from './read-jwks.ts';

/** @throws IssuerFault */
export async function jwksFromUrl(url: string, signal: AbortSignal): Promise<readonly unknown[]> {
  return readJwks(await fetchJson(url, 'application/jwk-set+json, application/json', signal), url);
}
