import type { Config } from './config.ts';
import { createKeyring, type Keyring, readKeyring } from './crypto/keyring.ts';
import { ConfigurationError } from './errors.ts';
import { createGraphQLEndpoint } from './graphql/endpoint/endpoint.ts';
import { readPersistedOperations } from './graphql/endpoint/persisted-operations.ts';
import { schema } from './graphql/schema/schema.ts';
import { createBudget } from './http/rate-limit/budget.ts';
import { GatewayServer } from './http/server.ts';
import { type DevelopmentIssuer, openDevelopmentIssuer, type TokenClaims } from './identity/development-issuer.ts';
import { checkJwksFile, createKeySet, jwksFromFile, jwksFromUrl } from './identity/key-set.ts';
import { createTokenVerifier, type TokenRules } from './identity/verify-token.ts';
import { wrappedKeyPages } from './keyring/count.ts';
import { type LiveKeyring, openLiveKeyring } from './keyring/live.ts';
import { scopes } from './model/principal.ts';
import { bindOperations } from './operations.ts';
import { createMetrics } from './ops/metrics.ts';
import { createTurns } from './runtime/keyed-mutex.ts';
import { describeError, type Log } from './runtime/log.ts';
import { exists } from './runtime/private-file.ts';
import { tracedMethods } from './runtime/trace.ts';
import { openStore } from './store/open-store.ts';
import { type Store, unknownKid } from './store/store.ts';

export interface Gateway {
  /** Where GraphQL is. */
  readonly url: string;
  /** A token to try the gateway out with; null without the development issuer. */
  readonly developmentToken: string | null;
  /** Answers what is under way, and then lets go of everything. */
  close(): Promise<void>;
}

/** Who the development token speaks for. */
const developer: TokenClaims = {
  subject: 'developer',
  teams: [{ id: 'demo', role: 'admin' }],
  scopes,
  ttlSeconds: 12 * 60 * 60,
};

/**
 * Puts the gateway together and starts it.
 * @throws ConfigurationError that names the variable or file, and the mend
 */
export async function startGateway(config: Config, log: Log): Promise<Gateway> {
  const store = tracedMethods('store', await openStore(config.databaseUrl));
  try {
    const keyring = await openKeyring(config, store, log);
    const { rules, developmentIssuer } = await openIssuer(config, log);
    const dependencies = { store, keyring: keyring.current, now: () => new Date(), inTurn: createTurns() };
    const metrics = createMetrics(() => server.inFlight);
    const server = new GatewayServer({
      graphql: createGraphQLEndpoint({
        schema,
        bindOperations: (caller) => bindOperations(dependencies, caller),
        introspection: !config.production,
        securityDirectives: config.securityDirectives,
        batchLimit: config.batchLimit,
        persistedOperations:
          config.persistedOperationsFile === null
            ? null
            : await readPersistedOperations(config.persistedOperationsFile),
        log,
        metrics,
      }),
      verifyToken: createTokenVerifier(rules),
      budget: createBudget(config.rateLimit, (seconds) => store.counter(seconds), config.trustProxy),
      requireTls: config.requireTls,
      trustProxy: config.trustProxy,
      corsOrigins: config.corsOrigins,
      developmentToken: developmentIssuer && (() => developmentIssuer.issue(developer)),
      readinessChecks: { store: () => store.check(), keyring: keyring.check },
      metrics,
      log,
    });
    const port = await server.listen(config.port, config.host).catch((error) => {
      throw cannotListen(config, error);
    });
    const host = config.host.includes(':') ? `[${config.host}]` : config.host;
    return {
      url: `http://${host}:${port}/graphql`,
      developmentToken: developmentIssuer && (await developmentIssuer.issue(developer)),
      async close() {
        await server.drain();
        await store.close();
        keyring.close();
        metrics.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function openKeyring(config: Config, store: Store, log: Log): Promise<LiveKeyring> {
  if (!(await exists(config.keyringFile))) {
    // A new keyring beside old envelopes would look like a start, and be the loss of every value.
    if (!(await store.isEmpty())) {
      throw new ConfigurationError(
        `KEYRING_FILE ${config.keyringFile}: there is no such file, but the store holds secrets sealed with it. Restore it from its backup.`,
      );
    }
    await createKeyring(config.keyringFile);
  }
  await requireOwnSecrets(store, await readKeyring(config.keyringFile), config.keyringFile);
  return openLiveKeyring(config.keyringFile, (ring, error) => {
    const active = ring.active.kid;
    if (error === undefined) log.info({ active }, 'keyring loaded');
    else log.error({ active, cause: describeError(error) }, 'keyring not loaded; the one before stays in use');
  });
}

/**
 * A keyring that opens nothing of what is there is another deployment's; one that opens a part has lost a key, and the rest goes on.
 * As a rule the first envelope tells.
 */
async function requireOwnSecrets(store: Store, { keys }: Keyring, keyringFile: string): Promise<void> {
  const lost = new Set<string>();
  for await (const page of wrappedKeyPages(store)) {
    for (const { kid } of page) {
      if (keys.has(kid)) return;
      if (kid !== unknownKid) lost.add(kid);
    }
  }
  if (lost.size === 0) return;
  throw new ConfigurationError(
    `KEYRING_FILE ${keyringFile}: it lacks the keys that the store's secrets are sealed with (${[...lost].slice(0, 5).join(', ')}). Set it to the file of the gateways that made them, or restore that from its backup.`,
  );
}

async function openIssuer(
  config: Config,
  log: Log,
): Promise<{ rules: TokenRules; developmentIssuer: DevelopmentIssuer | null }> {
  if (!config.issuer) {
    const developmentIssuer = await openDevelopmentIssuer(config.developmentIssuerFile);
    return { rules: developmentIssuer.rules, developmentIssuer };
  }
  const { jwks, ...rules } = config.issuer;
  if ('file' in jwks) await checkJwksFile(jwks.file);
  const load = () => ('file' in jwks ? jwksFromFile(jwks.file) : jwksFromUrl(jwks.url));
  const keySet = createKeySet(load, (error) => log.warn({ cause: describeError(error) }, 'key set not loaded'));
  return { rules: { ...rules, keySet }, developmentIssuer: null };
}

const notHere = 'HOST is not an address of this machine. Set it to one that is, or to 127.0.0.1.';

function cannotListen(config: Config, error: NodeJS.ErrnoException): Error {
  const mends: Record<string, string> = {
    EADDRINUSE: `PORT ${config.port} is in use. Stop what uses it, or set PORT to another.`,
    EACCES: `PORT ${config.port} needs more rights. Set PORT to 1024 or above.`,
    EADDRNOTAVAIL: notHere,
    ENOTFOUND: notHere,
    EAI_AGAIN: notHere,
  };
  const mend = mends[error.code ?? ''];
  return mend === undefined ? error : new ConfigurationError(mend);
}
