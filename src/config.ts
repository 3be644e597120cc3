import { ConfigurationError } from './errors.ts';
import { parseAddressRange } from './runtime/address-range.ts';
import { defaultAlgorithms, signatureAlgorithms } from './runtime/algorithms.ts';
import { refuseMisspelt } from './runtime/misspelt.ts';
import { faultOfOrigin } from './runtime/origin-pattern.ts';
import { faultOfPublicUrl } from './runtime/public-url.ts';
import { isDiscoverable, isLoopback, isSecureUrl } from './runtime/secure-url.ts';
import {
  type Environment,
  integer,
  isOn,
  oneOf,
  path,
  refuseShellSyntax,
  seconds,
  secondsIn,
  text,
} from './runtime/setting.ts';
import { readSettingFileSync } from './runtime/setting-file.ts';
import { didYouMean, nearestWords } from './runtime/spelling.ts';

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly databaseUrl: string;
  readonly keyringFile: string;
  /** Null where the development issuer is used instead. */
  readonly issuer: JwtConfig | { readonly issuersFile: string } | null;
  readonly developmentIssuerFile: string;
  readonly requireTls: boolean;
  readonly trustProxy: boolean;
  /** Points a principal may use in a window; null for no limit. */
  readonly rateLimit: { readonly points: number; readonly windowSeconds: number } | null;
  /** How often each secret may be used in a window; null for no limit. */
  readonly brokerRateLimit: Config['rateLimit'];
  /** How many subscriptions may be open. */
  readonly subscriptions: { readonly all: number; readonly perCaller: number };
  /** For how long a deleted secret can be restored. */
  readonly deletedRetentionMs: number;
  /** How many operations may come in one array; 0 for none. */
  readonly batchLimit: number;
  /** Origins whose pages may call the gateway, and patterns of them. */
  readonly corsOrigins: readonly string[];
  /** Whether documents may ask for the schema. */
  readonly introspection: boolean;
  /** Whether the subgraph's SDL has @authenticated and @requiresScopes, with which Apollo Gateway does not start. */
  readonly securityDirectives: boolean;
  /** A file with the only documents that are accepted. */
  readonly persistedOperationsFile: string | null;
  /** How long an upstream may take until it begins to answer, and between bytes. */
  readonly brokerTimeoutMs: number;
  /** A file with providers besides those that are known, or in their place. */
  readonly brokerProvidersFile: string | null;
  /** CIDRs that the broker may reach besides public addresses. */
  readonly brokerAllowPrivate: readonly string[];
  readonly logLevel: string;
  /** What clients reach the gateway by, without a slash at the end; null: where it listens. */
  readonly publicUrl: string | null;
  /** NODE_ENV=production, or an address beyond loopback. */
  readonly production: boolean;
  /** Whether refusals tell more than in production: with NODE_ENV=development, or the development issuer. */
  readonly hints: boolean;
  /** What is served; null for all of it. The command line says so, not the environment. */
  readonly only: 'broker' | 'graphql' | null;
  /** Whether operations are prepared. Only tests turn it off, to compare the answers of both ways. */
  readonly plans: boolean;
}

/** What JWT_ISSUER and the settings beside it say. */
export interface JwtConfig {
  readonly issuer: string;
  /** A token needs one of them. */
  readonly audience: readonly string[];
  /** Null: OpenID discovery. */
  readonly jwks: { readonly url: string } | { readonly file: string } | null;
  readonly algorithms: readonly string[];
}

/** Every setting there is. */
export const settingNames = [
  'HOST',
  'PORT',
  'PUBLIC_URL',
  'DATABASE_URL',
  'DATABASE_URL_FILE',
  'KEYRING_FILE',
  'JWT_ISSUER',
  'JWT_AUDIENCE',
  'JWT_JWKS_URL',
  'JWT_JWKS_FILE',
  'JWT_ALGORITHMS',
  'ISSUERS_FILE',
  'RATE_LIMIT',
  'BROKER_RATE_LIMIT',
  'MAX_SUBSCRIPTIONS',
  'MAX_SUBSCRIPTIONS_PER_CALLER',
  'DELETED_RETENTION',
  'BATCHING',
  'INTROSPECTION',
  'SECURITY_DIRECTIVES',
  'CORS_ORIGINS',
  'PERSISTED_OPERATIONS',
  'BROKER_TIMEOUT',
  'BROKER_ALLOW_PRIVATE',
  'BROKER_PROVIDERS_FILE',
  'TRUST_PROXY',
  'REQUIRE_TLS',
  'LOG_LEVEL',
  'NODE_ENV',
] as const;

export type SettingName = (typeof settingNames)[number];

/**
 * Reads the settings; nothing else reads the environment.
 * @throws ConfigurationError that names the variable and the fix, and never its value
 */
export function readConfig(env: Environment = process.env): Config {
  refuseMisspelt(env, settingNames);
  const host = text(env, 'HOST') ?? '127.0.0.1';
  const nodeEnv = oneOf(env, 'NODE_ENV', ['production', 'development', 'test'], 'development');
  const issuer = issuerConfig(env);
  const keyringFile = path(env, 'KEYRING_FILE');
  const reason = nodeEnv === 'production' ? 'with NODE_ENV=production' : isLoopback(host) ? null : beyondLoopback;
  const production = reason !== null;
  if (production && !issuer) {
    throw new ConfigurationError(
      `JWT_ISSUER and JWT_AUDIENCE, or ISSUERS_FILE, are required ${reason}: the development issuer is for loopback only. Set them to your identity provider's.`,
    );
  }
  if (production && !keyringFile) {
    throw new ConfigurationError(
      `KEYRING_FILE is required ${reason}. Set it to a file that is backed up and that every replica uses.`,
    );
  }
  return {
    host,
    port: integer(env, 'PORT', 4000, 0, 65535),
    publicUrl: publicUrl(env),
    databaseUrl:
      valueOrFile('DATABASE_URL', text(env, 'DATABASE_URL'), path(env, 'DATABASE_URL_FILE')) ??
      'sqlite:.data/secrets.db',
    keyringFile: keyringFile ?? '.data/keyring.json',
    issuer,
    developmentIssuerFile: '.data/development-issuer.json',
    requireTls: isOn(env, 'REQUIRE_TLS', production),
    trustProxy: isOn(env, 'TRUST_PROXY', false),
    rateLimit: rateLimit(env, 'RATE_LIMIT', '600/60s'),
    brokerRateLimit: rateLimit(env, 'BROKER_RATE_LIMIT', text(env, 'RATE_LIMIT') ?? '600/60s'),
    subscriptions: {
      all: integer(env, 'MAX_SUBSCRIPTIONS', 3000, 0, 4500),
      perCaller: integer(env, 'MAX_SUBSCRIPTIONS_PER_CALLER', 1000, 0, 4500),
    },
    deletedRetentionMs: 1000 * seconds(env, 'DELETED_RETENTION', '30d', '3650d'),
    batchLimit: isOn(env, 'BATCHING', true) ? 10 : 0,
    corsOrigins: corsOrigins(env),
    introspection: isOn(env, 'INTROSPECTION', !production),
    securityDirectives: isOn(env, 'SECURITY_DIRECTIVES', false),
    persistedOperationsFile: path(env, 'PERSISTED_OPERATIONS') ?? null,
    brokerTimeoutMs: 1000 * seconds(env, 'BROKER_TIMEOUT', '300s', '24h'),
    brokerAllowPrivate: brokerAllowPrivate(env, production),
    brokerProvidersFile: path(env, 'BROKER_PROVIDERS_FILE') ?? null,
    logLevel: oneOf(env, 'LOG_LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info'),
    production,
    hints: !production && (issuer === null || text(env, 'NODE_ENV')?.toLowerCase() === 'development'),
    only: null,
    plans: env.TEST_WITHOUT_PLANS === undefined,
  };
}

/** csh exports HOST, and so does conda: whoever has not set it must learn where it comes from. */
const beyondLoopback =
  'because HOST is set to something beyond loopback (some shells do that: HOST=127.0.0.1 keeps the gateway to this machine)';

/**
 * A setting that may hold a secret: it can be in a file instead, as Docker and Kubernetes mount secrets.
 * @param value the setting
 * @param file the path of the file, the setting with _FILE behind its name
 */
function valueOrFile(name: SettingName, value: string | undefined, file: string | undefined): string | undefined {
  if (file === undefined) return value;
  if (value !== undefined) throw new ConfigurationError(`${name} and ${name}_FILE are both set. Leave one of them.`);
  const variable = `${name}_FILE`;
  const read = readSettingFileSync({ variable, path: file, access: 'public', maxBytes: 64 * 1024 });
  const content = read.replace(/\r?\n$/, '');
  if (content === '')
    throw new ConfigurationError(`${variable}: the file is empty. Write the value of ${name} into it.`);
  refuseShellSyntax(`The content of ${variable}`, content);
  return content;
}

function issuerConfig(env: Environment): Config['issuer'] {
  const issuer = text(env, 'JWT_ISSUER');
  const audience = (text(env, 'JWT_AUDIENCE') ?? '').split(/\s+/).filter(Boolean);
  const url = text(env, 'JWT_JWKS_URL');
  const file = path(env, 'JWT_JWKS_FILE');
  const algorithms = text(env, 'JWT_ALGORITHMS');
  const issuersFile = path(env, 'ISSUERS_FILE');
  const isOne = issuer || audience.length > 0 || url || file || algorithms;
  if (issuersFile !== undefined) {
    if (!isOne) return { issuersFile };
    throw new ConfigurationError(
      'ISSUERS_FILE and JWT_… are both set. Leave out JWT_…, and put what they say into the file.',
    );
  }
  if (!isOne) return null;
  const accepted = algorithmsOf(algorithms);
  if (!issuer) throw new ConfigurationError('JWT_ISSUER is missing. Set it to the "iss" of your tokens.');
  if (audience.length === 0)
    throw new ConfigurationError('JWT_AUDIENCE is missing. Set it to the "aud" of your tokens.');
  if (url && file) throw new ConfigurationError('JWT_JWKS_URL and JWT_JWKS_FILE are both set. Leave one of them.');
  return { issuer, audience, jwks: keyLocation(issuer, url, file), algorithms: accepted };
}

function keyLocation(issuer: string, url: string | undefined, file: string | undefined): JwtConfig['jwks'] {
  if (file) return { file };
  if (!url) {
    if (isDiscoverable(issuer)) return null;
    throw new ConfigurationError(
      'JWT_JWKS_URL is missing: JWT_ISSUER is no https: URL at which the keys could be found. Set JWT_JWKS_URL to where your issuer publishes its keys, or set JWT_JWKS_FILE.',
    );
  }
  if (isSecureUrl(url)) return { url };
  const parsed = URL.parse(url);
  if (parsed?.username || parsed?.password) {
    throw new ConfigurationError(
      'JWT_JWKS_URL must not contain a user or a password. Leave them out: the keys are public.',
    );
  }
  throw new ConfigurationError(
    'JWT_JWKS_URL must be an https: URL (http: only on loopback): over plain HTTP anybody could replace the keys. For an issuer inside your cluster set ISSUERS_FILE, with "allowHttp": true.',
  );
}

function algorithmsOf(value: string | undefined): readonly string[] {
  if (value === undefined) return defaultAlgorithms;
  const algorithms = value.split(/[\s,]+/).filter(Boolean);
  const unknown = algorithms.find((algorithm) => !signatureAlgorithms.some((known) => known === algorithm));
  if (algorithms.length > 0 && unknown === undefined) return algorithms;
  throw new ConfigurationError(
    `JWT_ALGORITHMS names an algorithm that is not accepted. Use some of: ${signatureAlgorithms.join(' ')}.${didYouMean(nearestWords(unknown ?? '', signatureAlgorithms))}`,
  );
}

function brokerAllowPrivate(env: Environment, production: boolean): readonly string[] {
  const value = text(env, 'BROKER_ALLOW_PRIVATE');
  if (value === undefined) return production ? [] : ['127.0.0.0/8', '::1'];
  const ranges = value.split(/[\s,]+/).filter(Boolean);
  const wrong = ranges.findIndex((range) => parseAddressRange(range) === null);
  if (wrong < 0) return ranges;
  throw new ConfigurationError(
    `BROKER_ALLOW_PRIVATE must be CIDRs, such as 10.20.0.0/16 or fd12:3456::/32. Entry ${wrong + 1} of ${ranges.length} is not one.`,
  );
}

const maxWindowSeconds = 24 * 3600;

function rateLimit(env: Environment, name: SettingName, fallback: string): Config['rateLimit'] {
  const value = text(env, name) ?? fallback;
  if (value.toLowerCase() === 'off') return null;
  const match = /^(\d{1,9})\/(\d{1,6}[smh])$/.exec(value);
  const points = Number(match?.[1]);
  const windowSeconds = secondsIn(match?.[2] ?? '');
  if (points >= 1 && windowSeconds >= 1 && windowSeconds <= maxWindowSeconds) return { points, windowSeconds };
  throw new ConfigurationError(`${name} must be a count and a time of at most 24 hours, such as 600/60s, or off.`);
}

function publicUrl(env: Environment): string | null {
  const value = text(env, 'PUBLIC_URL');
  if (value === undefined) return null;
  const fault = faultOfPublicUrl(value);
  if (fault !== null) throw new ConfigurationError(`PUBLIC_URL ${fault}`);
  return new URL(value).href.replace(/\/+$/, '');
}

function corsOrigins(env: Environment): string[] {
  const origins = (text(env, 'CORS_ORIGINS') ?? '').split(/[\s,]+/).filter(Boolean);
  for (const [index, origin] of origins.entries()) {
    const fault = faultOfOrigin(origin);
    if (fault === null) continue;
    const which = origins.length === 1 ? 'its origin' : `origin ${index + 1} of ${origins.length}`;
    throw new ConfigurationError(`CORS_ORIGINS must be origins as browsers send them, and ${which} ${fault}`);
  }
  return origins;
}
