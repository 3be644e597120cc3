import { ChangeFeeds } from './audit/change-feeds.ts';
import { createHeadLog } from './audit/head-log.ts';
import { type Broker, openBroker } from './broker/open-broker.ts';
import { readProviders } from './broker/providers/read-providers.ts';
import { brokerPrefix } from './broker/target.ts';
import { createAddressRule } from './broker/upstream/addresses.ts';
import type { Config } from './config.ts';
import { ConfigurationError } from './errors.ts';
import { createEngine, type Engine } from './graphql/endpoint/engine.ts';
import { readPersistedOperations } from './graphql/endpoint/persisted-operations.ts';
import { graphqlRoute } from './graphql/endpoint/route.ts';
import { Subscriptions } from './graphql/endpoint/subscriptions.ts';
import { schema } from './graphql/schema/schema.ts';
import { createIdentify, createRepeatable } from './http/identify.ts';
import { addressOf, listen } from './http/listen.ts';
import { type Budget, createBudget } from './http/rate-limit/budget.ts';
import { checkLimit, createCheckBudget } from './http/rate-limit/check-budget.ts';
import { createMatchBudget, matchLimit } from './http/rate-limit/match-budget.ts';
import { createRateLimiter } from './http/rate-limit/rate-limiter.ts';
import { createUseBudget } from './http/rate-limit/use-budget.ts';
import { HttpServer } from './http/server.ts';
import { createAuthenticator } from './identity/authenticate.ts';
import { openDevelopmentIssuer, type TokenClaims } from './identity/development-issuer.ts';
import type { IssuerSettings } from './identity/issuer-settings.ts';
import { openIssuers } from './identity/open-issuers.ts';
import { readIssuers } from './identity/read-issuers.ts';
import { createOwnTokenRule } from './identity/unverified-token.ts';
import { type ApiKeyVerifier, createApiKeyVerifier, usedEveryMs } from './identity/verify-api-key.ts';
import { createTokenVerifier } from './identity/verify-token.ts';
import type { LiveKeyring } from './keyring/live.ts';
import { openKeyring } from './keyring/open.ts';
import { scopes } from './model/principal.ts';
import { Operations } from './operations.ts';
import { graphiql } from './ops/graphiql.ts';
import { liveness, readiness } from './ops/health.ts';
import { sealingKeySet } from './ops/jwks.ts';
import { createMetrics, type Metrics } from './ops/metrics.ts';
import { withDeadline } from './runtime/deadline.ts';
import { createKeyedMutex } from './runtime/keyed-mutex.ts';
import { LargeWork } from './runtime/large-work.ts';
import { createLog, type Log } from './runtime/log.ts';
import { exists } from './runtime/private-file.ts';
import { createTrace, type Trace, tracedMethods } from './runtime/trace.ts';
import { tooMuchContention } from './secrets/conflicts.ts';
import { startRetention } from './secrets/purge-expired.ts';
import type { ApiKeyStore } from './store/api-keys.ts';
import { parseDatabaseUrl } from './store/database-url.ts';
import { openStore } from './store/open-store.ts';
import type { Store } from './store/store.ts';
import type { StoreOptions } from './store/store-options.ts';
import { version } from './version.ts';

export interface Gateway {
  /** Where GraphQL is, or what secrets are used below where that is all that is served. */
  readonly url: string;
  /** A token to try the gateway out with; null without the development issuer. */
  readonly developmentToken: string | null;
  /** Answers the requests in flight, then closes everything. Rejects when that takes over 10 s, or 20 s where secrets are in use. */
  close(): Promise<void>;
}

/** Who the development token speaks for. */
const developer: TokenClaims = {
  subject: 'developer',
  teams: [{ id: 'demo', role: 'admin' }],
  scopes,
  ttlSeconds: 12 * 60 * 60,
};

/** What is not closed by then is left: whoever stops the gateway would kill it some time. The HTTP server takes 9 s of it at most. */
const closeMs = 10_000;

/** How long a writer waits for earlier writers of the same secret. */
const writerWaitMs = 5000;

/**
 * Builds the gateway and starts it.
 * @throws ConfigurationError that names the variable or file, and the fix
 */
export async function startGateway(config: Config, log: Log = createLog(config.logLevel)): Promise<Gateway> {
  // What was opened is closed in reverse order, also when the start fails half-way.
  await using opened = new AsyncDisposableStack();
  requireSharedStore(config);
  const address = await addressOf(config);
  const metrics = createMetrics({
    inFlight: () => server.inFlight,
    subscriptions: () => subscriptions.count,
    uses: () => broker.count(),
    backlog: () => store.backlog,
    issuerKeys: () => identity.keyCounts(),
    outcomes: () => ready.outcomes(),
    version: version(),
  });
  const trace = createTrace(metrics.duration);

  // A mistake in the settings is told before anything is made.
  const settings = config.issuer && (await readIssuers(config.issuer));
  const destinations = await ofDestinations(config, () => server.port);
  // The keyring is made after the store, so that an empty database beside a keyring is one that was lost.
  const mayBeBlank = !(await exists(config.keyringFile));
  const heads = createHeadLog(log);
  opened.defer(() => heads.close());
  const store = await openTracedStore(config, trace, {
    mayBeBlank,
    macOfEvent: (owner, event) => keyring.macOfEvent(owner, event),
    onHead(owner, head) {
      heads.changed(owner, head);
      changes.hear(owner, head);
    },
  });
  const apiKeys = tracedMethods(trace, 'store.apiKeys', store.apiKeys, []);
  opened.defer(() => store.close());
  const keyring = await openKeyring(config.keyringFile, store, log);
  opened.defer(() => keyring.close());
  const identity = await openIdentity(config, settings, log, trace);
  opened.defer(() => identity.close());

  const budget = openBudget(config, store, trace);
  const apiKeyVerifier = verifierOf(apiKeys, keyring.current);
  const changes = new ChangeFeeds({ store, keyring: keyring.current });
  opened.defer(() => changes.close());
  const subscriptions = new Subscriptions(config.subscriptions, metrics);
  const broker = openBroker({ ...brokerSettings(config), onCheck: metrics.check });
  const dependencies = {
    ...{ store, changes, apiKeys, trace, askProvider: broker.askProvider },
    forgetApiKey: apiKeyVerifier.forget,
    keyring: keyring.current,
    ...ofThisProcess(config, store, trace),
    ...destinations,
  };
  const engine = await openEngine(config, dependencies, subscriptions, log, metrics);
  const authenticate = createAuthenticator(createTokenVerifier(identity.issuers), apiKeyVerifier);
  const identify = createIdentify(authenticate, budget);
  const { requireTls, trustProxy } = config;
  const useRoute = broker.route({
    ...{ identify, authenticate, budget, trustProxy, trace, log, onUse: metrics.use },
    useSecret: (caller, input) => new Operations(dependencies, caller).useSecret(input),
    isOwnToken: createOwnTokenRule(identity.issuers),
  });
  const credentials = createRepeatable(authenticate);
  const apiRoutes = [
    sealingKeySet(() => Object.values(keyring.current().seal).map(({ active }) => active.publicJwk)),
    ...identity.developmentRoutes,
    graphqlRoute({ engine, identify, credentials, budget, trace, requireTls, trustProxy }),
  ];
  const checks = { store: () => store.check(), keyring: keyring.check, ...identity.checks };
  const ready = readiness(checks, () => server.draining);
  const server = new HttpServer({
    routes: [
      ...[liveness, ready.route, metrics.route],
      ...(config.only === 'broker' ? [] : apiRoutes),
      ...(config.only === 'graphql' ? [] : [useRoute]),
    ],
    ...{ corsOrigins: config.corsOrigins, hints: config.hints, log },
    loopbackHostsOnly: identity.developmentToken !== null,
    onRefusal: metrics.refusal,
  });
  await listen(server, config.port, address);
  const retention = startRetention(store, config.deletedRetentionMs, log);
  opened.defer(() => retention.close());
  opened.defer(() => endAnswering(subscriptions, broker, server));

  const running = opened.move();
  return {
    url: `${originOf(config.host, server.port)}${config.only === 'broker' ? brokerPrefix : '/graphql'}`,
    developmentToken: await (identity.developmentToken?.() ?? null),
    close: () =>
      withDeadline(
        running.disposeAsync(),
        closeMs + broker.endMs(),
        () => new Error('The store or the keyring did not close in time.'),
      ),
  };
}

function brokerSettings({ brokerAllowPrivate: allowPrivate, brokerTimeoutMs: timeoutMs, production }: Config) {
  return { allowPrivate, timeoutMs, allowHttp: !production, version: version() };
}

/** What operations count, and what they wait for each other with. */
function ofThisProcess({ deletedRetentionMs, brokerRateLimit }: Config, store: Store, trace: Trace) {
  return {
    now: () => new Date(),
    mutex: createKeyedMutex(writerWaitMs, tooMuchContention),
    deletedRetentionMs,
    running: new Set<string>(),
    largeWork: new LargeWork(),
    spendUse: createUseBudget(brokerRateLimit, (windowSeconds) => store.counter(windowSeconds), trace),
    spendMatch: createMatchBudget(store.counter(matchLimit.windowSeconds), trace),
    spendCheck: createCheckBudget(store.counter(checkLimit.windowSeconds), trace),
  };
}

/**
 * Two processes share a database that is a server's.
 * @throws ConfigurationError
 */
function requireSharedStore({ only, databaseUrl }: Config): void {
  if (only === null || parseDatabaseUrl(databaseUrl).kind === 'mongodb') return;
  throw new ConfigurationError(
    'serve --only needs a MongoDB, which two processes can share. Set DATABASE_URL to mongodb://…, or leave --only out: then one process serves both.',
  );
}

async function endAnswering(subscriptions: Subscriptions, broker: Broker, server: HttpServer): Promise<void> {
  // Before anything else: clients subscribe again, at another replica. Requests do not wait for the last of them.
  const ended = subscriptions.close();
  await server.drain(broker.endUses);
  broker.close();
  await ended;
}

async function openTracedStore({ databaseUrl }: Config, trace: Trace, options: StoreOptions): Promise<Store> {
  return tracedMethods(trace, 'store', await openStore(databaseUrl, options), ['counter', 'close']);
}

function verifierOf(apiKeys: ApiKeyStore, keyring: LiveKeyring['current']): ApiKeyVerifier {
  return createApiKeyVerifier({
    find: (hash) => apiKeys.findByHash(hash),
    keyring,
    // When a key was last used is for people. Nothing waits for it, and it may be lost.
    onUse: (hash, at) => void setImmediate(() => apiKeys.markUsed(hash, at, usedEveryMs).catch(() => {})),
  });
}

function openBudget({ rateLimit, trustProxy }: Config, store: Store, trace: Trace): Budget {
  const limiter = rateLimit && createRateLimiter(rateLimit, store.counter(rateLimit.windowSeconds), trace);
  return createBudget(limiter, trustProxy);
}

async function openEngine(
  config: Config,
  dependencies: ConstructorParameters<typeof Operations>[0],
  subscriptions: Subscriptions,
  log: Log,
  metrics: Metrics,
): Promise<Engine> {
  const { introspection, securityDirectives, batchLimit, persistedOperationsFile, hints, plans } = config;
  return createEngine({
    schema,
    bindOperations: (caller) => new Operations(dependencies, caller),
    introspection,
    securityDirectives,
    batchLimit,
    persistedOperations:
      persistedOperationsFile === null ? null : await readPersistedOperations(persistedOperationsFile),
    log,
    onOperation: metrics.operation,
    subscriptions,
    hints,
    plans,
  });
}

/**
 * The issuers whose tokens are accepted: those of the settings, or the development issuer.
 * @throws ConfigurationError in production without settings
 */
async function openIdentity(config: Config, settings: readonly IssuerSettings[] | null, log: Log, trace: Trace) {
  if (settings) {
    const { issuers, check, keyCounts, close } = await openIssuers(settings, log, trace);
    return { issuers, checks: { issuer: check }, keyCounts, close, developmentToken: null, developmentRoutes: [] };
  }
  if (config.production) throw new ConfigurationError('JWT_ISSUER is missing. Set it to the "iss" of your tokens.');
  const { issuer, issue } = await openDevelopmentIssuer(config.developmentIssuerFile);
  const developmentToken = () => issue(developer);
  return {
    issuers: [issuer],
    checks: {},
    keyCounts: () => [],
    close() {},
    developmentToken,
    developmentRoutes: [graphiql('/', developmentToken), graphiql('/graphql', developmentToken)],
  };
}

/** What operations need to know of where values may be sent, and of where they are used. */
async function ofDestinations(
  { production, publicUrl, host, brokerAllowPrivate, brokerProvidersFile }: Config,
  port: () => number,
) {
  const reach = { isAllowedAddress: createAddressRule(brokerAllowPrivate), allowHttp: !production };
  return {
    ...reach,
    providers: await readProviders(brokerProvidersFile, reach),
    // With PORT=0 the port is known once the server listens.
    publicUrl: () => publicUrl ?? originOf(host, port()),
  };
}

function originOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
