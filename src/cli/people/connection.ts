import { isLoopback } from '../../runtime/secure-url.ts';
import { CommandFailure } from '../failure.ts';
import { type Environment, type PeopleSettingName, refuseMisspeltSettings } from './environment.ts';

/** Where the gateway is, and who asks. */
export interface Connection {
  /** The GraphQL endpoint. */
  readonly endpoint: string;
  readonly credential: Credential;
}

export interface Credential {
  readonly header: 'authorization' | 'x-api-key';
  /** The token or the key itself. */
  readonly secret: string;
}

export const defaultUrl = 'http://127.0.0.1:4000';

/**
 * @param tokenFile of --token-file
 * @throws CommandFailure that names the setting and the fix, and never what it holds
 */
export async function readConnection(env: Environment, tokenFile: string | undefined): Promise<Connection> {
  refuseMisspeltSettings(env);
  const endpoint = `${readGatewayUrl(env)}/graphql`;
  const credential = await readCredential(env, tokenFile);
  // What a header cannot hold would be repeated in the error about it.
  if (/[^\x21-\x7e]/.test(credential.secret)) {
    throw new CommandFailure(
      'The credential has characters that no token and no API key has, such as a space or a newline. Copy it again.',
      'unauthenticated',
    );
  }
  return { endpoint, credential };
}

/** What the URLs of the broker begin with, and the setting that says it. */
export interface Broker {
  readonly url: string;
  readonly setting: PeopleSettingName;
}

/**
 * Where the broker is: what the user says, never what an answer says, since a credential goes there.
 * @throws CommandFailure
 */
export function readBroker(env: Environment): Broker {
  const setting = 'SECRETS_GATEWAY_BROKER_URL';
  const url = env[setting]?.trim();
  return url ? { url: readUrl(setting, url), setting } : { url: readGatewayUrl(env), setting: 'SECRETS_GATEWAY_URL' };
}

function readGatewayUrl(env: Environment): string {
  return readUrl('SECRETS_GATEWAY_URL', env.SECRETS_GATEWAY_URL?.trim() || defaultUrl);
}

/** @returns it without a slash or `/graphql` at its end */
function readUrl(setting: PeopleSettingName, text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw new CommandFailure(
      `${setting} must be an http: or https: URL, such as https://secrets.example.com.`,
      'usage',
    );
  }
  if (url.username || url.password) {
    throw new CommandFailure(`${setting} must not contain a user or a password. Leave them out.`, 'usage');
  }
  if (url.search || url.hash) {
    throw new CommandFailure(`${setting} must not have a ? or a #. Leave out what is behind the path.`, 'usage');
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, ''))) {
    throw new CommandFailure(
      `${setting} is plain http: and leads to another machine: everybody on the way could read the credential. Nothing was sent. Use https:, or an address of this machine.`,
      'usage',
    );
  }
  return url.origin + url.pathname.replace(/\/+$/, '').replace(/\/graphql$/, '');
}

async function readCredential(env: Environment, tokenFile: string | undefined): Promise<Credential> {
  const token = env.SECRETS_GATEWAY_TOKEN?.trim();
  const apiKey = env.SECRETS_GATEWAY_API_KEY?.trim();
  const source = env.SECRETS_GATEWAY_TOKEN_SOURCE?.trim();
  // Who names a file means that one.
  if (tokenFile !== undefined) {
    const { readTokenFile } = await import('./token-source.ts');
    return bearer(await readTokenFile(tokenFile));
  }
  const set = Object.entries({
    SECRETS_GATEWAY_TOKEN: token,
    SECRETS_GATEWAY_API_KEY: apiKey,
    SECRETS_GATEWAY_TOKEN_SOURCE: source,
  }).flatMap(([name, value]) => (value ? [name] : []));
  if (set.length > 1) throw new CommandFailure(`${set.join(' and ')} are set. Leave one of them.`, 'usage');
  if (token) return bearer(token);
  if (apiKey) return { header: 'x-api-key', secret: apiKey };
  if (source) {
    const { tokenFrom } = await import('./token-source.ts');
    return bearer(await tokenFrom(source, env));
  }
  throw new CommandFailure(
    'No credential. Set SECRETS_GATEWAY_TOKEN, SECRETS_GATEWAY_API_KEY or SECRETS_GATEWAY_TOKEN_SOURCE, or name a file with --token-file. ' +
      'For a gateway in development: export SECRETS_GATEWAY_TOKEN=$(secrets-gateway token --sub developer --team demo)',
    'unauthenticated',
  );
}

/** A key of the gateway is accepted there, too. */
function bearer(secret: string): Credential {
  return { header: 'authorization', secret };
}
