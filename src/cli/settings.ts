import type { SettingName } from '../config.ts';
import type { PeopleSettingName } from './people/environment.ts';

interface Setting {
  readonly meaning: string;
  readonly fallback?: string;
}

/** What the help pages say about each setting. docs/configuration.md tells more, and a test compares their defaults. */
export const settings: Readonly<Record<SettingName, Setting>> = {
  HOST: { meaning: 'the address to listen on; beyond loopback everything is as in production', fallback: '127.0.0.1' },
  PORT: { meaning: 'the port; 0 takes a free one', fallback: '4000' },
  PUBLIC_URL: { meaning: 'what clients reach the gateway by', fallback: 'where it listens' },
  DATABASE_URL: {
    meaning: 'the store: sqlite:PATH, mongodb://… or mongodb+srv://…',
    fallback: 'sqlite:.data/secrets.db',
  },
  DATABASE_URL_FILE: { meaning: 'a file with the URL, instead of DATABASE_URL' },
  KEYRING_FILE: { meaning: 'the keys that values are sealed with', fallback: '.data/keyring.json' },
  JWT_ISSUER: { meaning: 'the "iss" of your tokens; without any JWT_… there is a development issuer' },
  JWT_AUDIENCE: { meaning: 'the "aud" of your tokens' },
  JWT_JWKS_URL: { meaning: 'where the issuer publishes its keys', fallback: 'OpenID discovery' },
  JWT_JWKS_FILE: { meaning: 'the same keys as a file' },
  ISSUERS_FILE: { meaning: 'a file with several issuers, or with claims of other names, instead of JWT_…' },
  JWT_ALGORITHMS: { meaning: 'the signature algorithms that are accepted', fallback: 'ES256 EdDSA RS256 PS256' },
  RATE_LIMIT: { meaning: 'points for each caller and window, or off', fallback: '600/60s' },
  BROKER_RATE_LIMIT: { meaning: 'uses of each secret and window, or off', fallback: 'what RATE_LIMIT is' },
  MAX_SUBSCRIPTIONS: { meaning: 'how many subscriptions may be open; 0 for none', fallback: '3000' },
  MAX_SUBSCRIPTIONS_PER_CALLER: { meaning: 'how many of them one caller may have', fallback: '1000' },
  DELETED_RETENTION: { meaning: 'for how long a deleted secret can be restored', fallback: '30d' },
  BATCHING: { meaning: 'on: up to 10 operations in one JSON array', fallback: 'on' },
  INTROSPECTION: { meaning: 'on: documents may ask for the schema', fallback: 'off in production, else on' },
  SECURITY_DIRECTIVES: { meaning: 'on: the SDL has @authenticated and @requiresScopes', fallback: 'off' },
  CORS_ORIGINS: { meaning: 'origins whose pages may call /graphql', fallback: 'none' },
  PERSISTED_OPERATIONS: { meaning: 'a file with the only documents that run', fallback: 'none' },
  BROKER_TIMEOUT: { meaning: 'how long an upstream may be silent', fallback: '300s' },
  BROKER_PROVIDERS_FILE: { meaning: 'a file with more providers, or with other destinations of known ones' },
  BROKER_ALLOW_PRIVATE: { meaning: 'CIDRs that the broker may reach', fallback: 'none in production, else loopback' },
  TRUST_PROXY: { meaning: "on: trust the proxy's X-Forwarded-Proto and X-Forwarded-For", fallback: 'off' },
  REQUIRE_TLS: { meaning: 'on: refuse values that arrive over plain HTTP', fallback: 'on in production, else off' },
  LOG_LEVEL: { meaning: 'fatal, error, warn, info, debug, trace or silent', fallback: 'info' },
  NODE_ENV: { meaning: 'production, development or test' },
};

/** The same for the commands that talk to a gateway; docs/command-line.md tells more. */
export const peopleSettings: Readonly<Record<PeopleSettingName, Setting>> = {
  SECRETS_GATEWAY_URL: { meaning: 'where the gateway is, with or without /graphql', fallback: 'http://127.0.0.1:4000' },
  SECRETS_GATEWAY_BROKER_URL: {
    meaning: 'where the broker is, if it is elsewhere; for use',
    fallback: 'what SECRETS_GATEWAY_URL is',
  },
  SECRETS_GATEWAY_TOKEN: { meaning: 'a token; this or one of the next two' },
  SECRETS_GATEWAY_API_KEY: { meaning: 'an API key' },
  SECRETS_GATEWAY_TOKEN_SOURCE: { meaning: 'kubernetes or github-actions: the token of this workload' },
  SECRETS_GATEWAY_TOKEN_AUDIENCE: {
    meaning: 'the audience of the token that GitHub is asked for',
    fallback: 'secrets-gateway',
  },
};

/** For a help page. */
export function settingsTable(names: readonly SettingName[] | readonly PeopleSettingName[]): string {
  const width = Math.max(...names.map((name) => name.length));
  const rows = names.map((name) => {
    const { meaning, fallback } =
      name in peopleSettings ? peopleSettings[name as PeopleSettingName] : settings[name as SettingName];
    return `  ${name.padEnd(width)}  ${meaning}${fallback === undefined ? '' : ` (default: ${fallback})`}`;
  });
  const page = names.some((name) => name in peopleSettings) ? 'docs/command-line.md' : 'docs/configuration.md';
  return [`Environment variables (more in ${page}):`, ...rows].join('\n');
}
