import type { OwnerInput } from '../../client/documents.ts';
import { type Request, Requester } from '../../client/request.ts';
import { UsageError } from '../usage-error.ts';
import { type Credential, readConnection } from './connection.ts';
import { environment } from './environment.ts';
import { fetchOverHttp } from './fetch-over-http.ts';
import type { GatewayOptions } from './options.ts';

export type { SecretFieldsFragment as Secret } from '../../client/documents.ts';

/** A running gateway, as one caller. */
export interface Gateway {
  /** Sends a document with the credential. */
  readonly request: Request;
  readonly requester: Requester;
  readonly credential: Credential;
  /** Whose secrets are meant. */
  readonly owner: OwnerInput;
}

/**
 * @param renews whether it is used for so long that a credential from a file or a source is read again for each request
 * @throws UsageError, CommandFailure
 */
export async function openGateway({ team, connector, tokenFile }: GatewayOptions, renews = false): Promise<Gateway> {
  if (connector !== undefined && team === undefined) {
    throw new UsageError('--connector needs the team that it belongs to: --team ID --connector ID');
  }
  if (team === '' || connector === '') throw new UsageError('--team and --connector must not be empty.');
  const env = environment();
  const { endpoint: url, credential } = await readConnection(env, tokenFile);
  const { header, secret } = credential;
  const isKept = tokenFile !== undefined || env.SECRETS_GATEWAY_TOKEN_SOURCE?.trim();
  const token = renews && isKept ? async () => (await readConnection(env, tokenFile)).credential.secret : secret;
  const requester = new Requester({
    url,
    fetch: fetchOverHttp,
    ...(header === 'authorization' ? { token } : { apiKey: secret }),
  });
  const owner = {
    ...(team !== undefined && { teamId: team }),
    ...(connector !== undefined && { connectorId: connector }),
  };
  return { request: (...call) => requester.request(...call), requester, credential, owner };
}
