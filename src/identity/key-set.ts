import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { ConfigurationError, DomainError } from '../errors.ts';
import { readSettingFile, type SettingFile } from '../runtime/setting-file.ts';

/** The public keys that tokens are verified with, kept up to date. */
export interface KeySet {
  /** The key for a token's header. Reloads the set once for a key id that is not known. */
  readonly find: JWTVerifyGetKey;
  /** Increases when a key was removed or changed: tokens that were verified before must be verified again. */
  generation(): number;
}

const freshMs = 10 * 60_000;
/** How long keys are used while the issuer cannot be reached: long enough for an incident, short enough for a revocation. */
const staleMs = 60 * 60_000;
/** Keeps tokens with invented key ids from causing a flood of requests to the issuer. */
const cooldownMs = 30_000;

/**
 * @param load fetches the JWK set (RFC 7517). Its DomainError is the callers' answer while there are no keys at all
 * @param onError told of every failed load, also while the old keys are still used
 * @param now milliseconds on a clock that is never set back: a corrected time must not stop the reloads
 */
export function createKeySet(
  load: () => Promise<JSONWebKeySet>,
  onError: (error: unknown) => void = () => {},
  now: () => number = performance.now.bind(performance),
): KeySet {
  let loaded: { find: JWTVerifyGetKey; keys: Set<string>; at: number } | undefined;
  let lastError: unknown;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;
  let generation = 0;

  function reload(): Promise<void> {
    loading ??= (async () => {
      attemptedAt = now();
      try {
        const jwks = await load();
        const keys = new Set(jwks.keys.map((key) => JSON.stringify(key)));
        if (loaded && [...loaded.keys].some((key) => !keys.has(key))) generation += 1;
        loaded = { find: createLocalJWKSet(jwks), keys, at: now() };
        lastError = undefined;
      } catch (error) {
        lastError = error;
        onError(error);
      } finally {
        loading = undefined;
      }
    })();
    return loading;
  }

  const hasCooledDown = () => now() - attemptedAt >= cooldownMs;

  function current() {
    if (loaded && now() - loaded.at > freshMs + staleMs) {
      loaded = undefined;
      generation += 1;
    }
    return loaded;
  }

  return {
    async find(header, token) {
      // Without any key, callers wait for a load. One attempt per second protects the issuer.
      if (!current() && (loading || now() - attemptedAt >= 1000)) await reload();
      const keys = current();
      if (!keys) throw lastError;
      try {
        return await keys.find(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        if (loading || hasCooledDown()) await reload();
        // While the issuer cannot be reached, a new key id and an invented one look the same. Blame the issuer, not the token.
        if (lastError) throw lastError;
        return await (current() ?? keys).find(header, token);
      }
    },
    generation() {
      const keys = current();
      if (keys && now() - keys.at > freshMs && hasCooledDown()) void reload();
      return generation;
    },
  };
}

/** The same for a file as for an answer of the issuer. */
const maxJwksBytes = 256 * 1024;

/** Reads a JWK set from a file. @throws DomainError BAD_GATEWAY */
export async function jwksFromFile(path: string): Promise<JSONWebKeySet> {
  const text = await readSettingFile(jwksFile(path)).catch((cause) => {
    throw badGateway('The key set file cannot be read.', cause);
  });
  return parseJwks(text);
}

/** @throws ConfigurationError at the start, so that a wrong file is noticed before the first request */
export async function checkJwksFile(path: string): Promise<void> {
  const text = await readSettingFile(jwksFile(path));
  try {
    parseJwks(text);
  } catch {
    throw new ConfigurationError(`JWT_JWKS_FILE ${path}: it is not a JWK set. Put {"keys":[…]} there (RFC 7517).`);
  }
}

/** Who can write it decides whose tokens are accepted. */
function jwksFile(path: string): SettingFile {
  return { variable: 'JWT_JWKS_FILE', path, access: 'public', maxBytes: maxJwksBytes };
}

/**
 * Fetches a JWK set within a deadline and a size.
 * @throws DomainError GATEWAY_TIMEOUT or BAD_GATEWAY
 */
export async function jwksFromUrl(url: string, timeoutMs = 5000): Promise<JSONWebKeySet> {
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/jwk-set+json, application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      throw badGateway('The JWKS endpoint did not answer with a key set.');
    }
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body) {
      bytes += chunk.byteLength;
      if (bytes > maxJwksBytes) throw badGateway('The JWKS endpoint answered with too much.');
      chunks.push(chunk);
    }
    return parseJwks(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    if (error instanceof DomainError) throw error;
    if (error instanceof DOMException && error.name === 'TimeoutError') {
      throw new DomainError('GATEWAY_TIMEOUT', {
        description: 'The JWKS endpoint did not answer before the deadline.',
        retryAfterSeconds: 5,
        cause: error,
      });
    }
    throw badGateway('The JWKS endpoint cannot be reached.', error);
  }
}

function parseJwks(text: string): JSONWebKeySet {
  try {
    const jwks = JSON.parse(text) as JSONWebKeySet;
    createLocalJWKSet(jwks);
    return jwks;
  } catch (cause) {
    throw badGateway('The issuer’s keys are not a JWK set.', cause);
  }
}

function badGateway(description: string, cause?: unknown): DomainError {
  return new DomainError('BAD_GATEWAY', { description, retryAfterSeconds: 5, cause });
}
