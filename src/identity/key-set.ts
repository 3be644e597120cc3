import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { ConfigurationError, DomainError } from '../errors.ts';
import { traced } from '../runtime/trace.ts';

/** The public keys tokens are verified with, kept fresh. */
export interface KeySet {
  /** The key for a token's header, reloading once for a key id that is not known. */
  readonly find: JWTVerifyGetKey;
  /** Moves on whenever a key was removed or changed: what was verified before must be verified again. */
  generation(): number;
}

const freshMilliseconds = 10 * 60_000;
/** How long keys outlive an issuer that cannot be reached: long enough for an incident, short enough for a revocation. */
const staleMilliseconds = 60 * 60_000;
/** Tokens with made-up key ids must not become a flood of requests to the issuer. */
const cooldownMilliseconds = 30_000;

/**
 * @param load fetches the JWK set (RFC 7517); its DomainError is what callers see while there are no keys at all
 * @param onError told of every failed load, also those that old keys cover for
 * @param now milliseconds on a clock that is never set back: a correction of the time must not stop the reloads
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
        const jwks = await traced('jwks.load', load);
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

  const rested = () => now() - attemptedAt >= cooldownMilliseconds;

  function current() {
    if (loaded && now() - loaded.at > freshMilliseconds + staleMilliseconds) {
      loaded = undefined;
      generation += 1;
    }
    return loaded;
  }

  return {
    async find(header, token) {
      // Without any key there is nothing to protect but the issuer: one attempt a second while callers wait.
      if (!current() && (loading || now() - attemptedAt >= 1000)) await reload();
      const keys = current();
      if (!keys) throw lastError;
      try {
        return await keys.find(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        if (loading || rested()) await reload();
        // While the issuer cannot be asked, a new key cannot be told from a made-up one: not the token's fault.
        if (lastError) throw lastError;
        return await (current() ?? keys).find(header, token);
      }
    },
    generation() {
      const keys = current();
      if (keys && now() - keys.at > freshMilliseconds && rested()) void reload();
      return generation;
    },
  };
}

/** Reads a JWK set from a file. @throws DomainError BAD_GATEWAY */
export async function jwksFromFile(path: string): Promise<JSONWebKeySet> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw badGateway('The key set file cannot be read.', cause);
  });
  return parseJwks(text);
}

/** @throws ConfigurationError at start-up, where a wrong file can still be mended before anybody calls */
export async function checkJwksFile(path: string): Promise<void> {
  await jwksFromFile(path).catch(() => {
    throw new ConfigurationError(
      `JWT_JWKS_FILE ${path}: it is not a readable JWK set. Put {"keys":[…]} there (RFC 7517).`,
    );
  });
}

const maxJwksBytes = 256 * 1024;

/**
 * Fetches a JWK set within a deadline and a size.
 * @throws DomainError GATEWAY_TIMEOUT or BAD_GATEWAY
 */
export async function jwksFromUrl(url: string, timeoutMilliseconds = 5000): Promise<JSONWebKeySet> {
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/jwk-set+json, application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMilliseconds),
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
