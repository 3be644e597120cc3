import { ConfigurationError } from './errors.ts';

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly databaseUrl: string;
  readonly keyringFile: string;
  /** Null where the development issuer is used instead. */
  readonly issuer: IssuerConfig | null;
  readonly developmentIssuerFile: string;
  readonly requireTls: boolean;
  readonly trustProxy: boolean;
  /** Points a principal may use in a window; null for no limit. */
  readonly rateLimit: { readonly points: number; readonly windowSeconds: number } | null;
  /** How many operations may come in one array; 0 for none. */
  readonly batchLimit: number;
  /** Origins whose pages may call the gateway. */
  readonly corsOrigins: readonly string[];
  /** Whether the subgraph's SDL has @authenticated and @requiresScopes, with which Apollo Gateway does not start. */
  readonly securityDirectives: boolean;
  /** A file with the only documents that are accepted. */
  readonly persistedOperationsFile: string | null;
  readonly logLevel: string;
  readonly production: boolean;
}

export interface IssuerConfig {
  readonly issuer: string;
  readonly audience: string;
  readonly jwks: { readonly url: string } | { readonly file: string };
  readonly algorithms: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings; nothing else reads the environment.
 * @throws ConfigurationError that names the variable and the fix, and never its value
 */
export function readConfig(env: Environment = process.env): Config {
  const production = text(env, 'NODE_ENV')?.toLowerCase() === 'production';
  const host = text(env, 'HOST') ?? '127.0.0.1';
  const issuer = issuerConfig(env);
  const keyringFile = text(env, 'KEYRING_FILE');
  const exposed = production ? 'with NODE_ENV=production' : isLoopback(host) ? null : 'on an address beyond loopback';
  if (exposed && !issuer) {
    throw new ConfigurationError(
      `JWT_ISSUER, JWT_AUDIENCE and JWT_JWKS_URL or JWT_JWKS_FILE are required ${exposed}: the development issuer is for loopback only. Set them to your identity provider's.`,
    );
  }
  if (exposed && !keyringFile) {
    throw new ConfigurationError(
      `KEYRING_FILE is required ${exposed}. Set it to a file that is backed up and that every replica uses.`,
    );
  }
  return {
    host,
    port: integer(env, 'PORT', 4000, 0, 65535),
    databaseUrl: text(env, 'DATABASE_URL') ?? 'sqlite:.data/secrets.db',
    keyringFile: keyringFile ?? '.data/keyring.json',
    issuer,
    developmentIssuerFile: '.data/development-issuer.json',
    requireTls: oneOf(env, 'REQUIRE_TLS', ['on', 'off'], production ? 'on' : 'off') === 'on',
    trustProxy: oneOf(env, 'TRUST_PROXY', ['on', 'off'], 'off') === 'on',
    rateLimit: rateLimit(env),
    batchLimit: oneOf(env, 'BATCHING', ['on', 'off'], 'on') === 'on' ? 10 : 0,
    corsOrigins: corsOrigins(env),
    securityDirectives: oneOf(env, 'SECURITY_DIRECTIVES', ['on', 'off'], 'off') === 'on',
    persistedOperationsFile: text(env, 'PERSISTED_OPERATIONS') ?? null,
    logLevel: oneOf(env, 'LOG_LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info'),
    production,
  };
}

const signatureAlgorithms = [
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
];

function issuerConfig(env: Environment): IssuerConfig | null {
  const issuer = text(env, 'JWT_ISSUER');
  const audience = text(env, 'JWT_AUDIENCE');
  const url = text(env, 'JWT_JWKS_URL');
  const file = text(env, 'JWT_JWKS_FILE');
  if (!issuer && !audience && !url && !file) return null;
  if (!issuer) throw new ConfigurationError('JWT_ISSUER is missing. Set it to the "iss" of your tokens.');
  if (!audience) throw new ConfigurationError('JWT_AUDIENCE is missing. Set it to the "aud" of your tokens.');
  if (url && file) throw new ConfigurationError('JWT_JWKS_URL and JWT_JWKS_FILE are both set. Leave one of them.');
  const algorithms = (text(env, 'JWT_ALGORITHMS') ?? 'ES256 EdDSA RS256 PS256').split(/[\s,]+/).filter(Boolean);
  if (algorithms.length === 0 || !algorithms.every((algorithm) => signatureAlgorithms.includes(algorithm))) {
    throw new ConfigurationError(
      `JWT_ALGORITHMS names an algorithm that is not accepted. Use some of: ${signatureAlgorithms.join(' ')}.`,
    );
  }
  if (file) return { issuer, audience, jwks: { file }, algorithms };
  if (!url) {
    throw new ConfigurationError(
      'JWT_JWKS_URL is missing. Set it to where your issuer publishes its keys, or set JWT_JWKS_FILE.',
    );
  }
  const parsed = URL.parse(url);
  const plain = parsed?.protocol === 'http:' && isLoopback(parsed.hostname.replace(/^\[|\]$/g, ''));
  if (parsed?.protocol !== 'https:' && !plain) {
    throw new ConfigurationError(
      'JWT_JWKS_URL must be an https: URL (http: only on loopback): over plain HTTP anybody could replace the keys.',
    );
  }
  if (parsed.username || parsed.password) {
    throw new ConfigurationError(
      'JWT_JWKS_URL must not contain a user or a password. Leave them out: the keys are public.',
    );
  }
  return { issuer, audience, jwks: { url }, algorithms };
}

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

const maxWindowSeconds = 24 * 3600;

function rateLimit(env: Environment): Config['rateLimit'] {
  const value = text(env, 'RATE_LIMIT') ?? '600/60s';
  if (value.toLowerCase() === 'off') return null;
  const match = /^(\d{1,9})\/(\d{1,6})(s|m|h)$/.exec(value);
  const points = Number(match?.[1]);
  const windowSeconds = Number(match?.[2]) * (secondsOf[match?.[3] ?? ''] ?? 1);
  if (points >= 1 && windowSeconds >= 1 && windowSeconds <= maxWindowSeconds) return { points, windowSeconds };
  throw new ConfigurationError('RATE_LIMIT must be a count and a time of at most 24 hours, such as 600/60s, or off.');
}

function corsOrigins(env: Environment): string[] {
  const origins = (text(env, 'CORS_ORIGINS') ?? '').split(/[\s,]+/).filter(Boolean);
  if (origins.every((origin) => URL.parse(origin)?.origin === origin)) return origins;
  throw new ConfigurationError('CORS_ORIGINS must be origins, such as https://app.example.com, separated by spaces.');
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(host);
}

function text(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

function integer(env: Environment, name: string, fallback: number, min: number, max: number): number {
  const value = text(env, name);
  if (value === undefined) return fallback;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new ConfigurationError(`${name} must be a whole number from ${min} to ${max}.`);
}

function oneOf<const T extends string>(env: Environment, name: string, values: readonly T[], fallback: T): T {
  const value = text(env, name)?.toLowerCase();
  if (value === undefined) return fallback;
  const known = values.find((candidate) => candidate === value);
  if (known) return known;
  throw new ConfigurationError(`${name} must be one of: ${values.join(', ')}.`);
}
