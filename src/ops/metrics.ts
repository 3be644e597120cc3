import { Counter, Gauge, Registry } from 'prom-client';
import { jsonErrors } from '../http/refusal.ts';
import { bodyless, type Route } from '../http/route.ts';
import type { DurationListener } from '../runtime/trace.ts';
import type { Outcomes } from './health.ts';
import { processMetrics } from './process-metrics.ts';
import { countSeries, observeSeries } from './series.ts';

export interface Metrics {
  /** @param operation the root field, of the schema; @param code the error's, or OK */
  operation(operation: string, code: string, seconds: number): void;
  /** @param code of an error at the HTTP level */
  refusal(code: string): void;
  /** How a use of a secret ended; @param code of the gateway's refusal, or OK */
  use(outcome: string, code: string, seconds: number): void;
  /** What a provider said about a key, or FAILED. */
  check(result: string, seconds: number): void;
  /** Events of subscriptions that were sent. */
  told(events: number): void;
  /** A subscription has ended, for this reason. */
  ended(reason: string): void;
  /** How long a traced piece of work took. */
  readonly duration: DurationListener;
  /** `GET /metrics`, in the Prometheus text format. */
  readonly route: Route;
}

/** What is read when the metrics are asked for. */
export interface MetricSources {
  readonly inFlight: () => number;
  readonly subscriptions: () => number;
  /** Uses of secrets that are open. */
  readonly uses: () => number;
  readonly backlog: () => { readonly commits: number; readonly oldestMs: number };
  /** Of each issuer in the settings: how many of its keys can be used, and how many cannot. */
  readonly issuerKeys: () => readonly { readonly issuer: string; readonly usable: number; readonly unusable: number }[];
  /** Of the checks of /readyz. */
  readonly outcomes: () => Promise<Outcomes>;
  /** Of the gateway. */
  readonly version: string;
}

/** Figures about the gateway, never about a secret: every label has few values, all of them the gateway's own words or settings. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const count = countSeries({
    name: 'secrets_gateway_operations_total',
    help: 'GraphQL operations by root field and outcome (OK or an error code).',
    labelNames: ['operation', 'code'],
    registry,
  });
  const observeLatency = observeSeries({
    name: 'secrets_gateway_operation_seconds',
    help: 'Time to answer a GraphQL operation.',
    labelNames: ['operation'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registry,
  });
  const countRefusal = countSeries({
    name: 'secrets_gateway_refusals_total',
    help: 'Requests refused before GraphQL, and uses of secrets that were refused or failed, by error code: UNAUTHORIZED, TOO_MANY_REQUESTS and others.',
    labelNames: ['code'],
    registry,
  });
  const countUse = countSeries({
    name: 'secrets_gateway_uses_total',
    help: 'Uses of secrets by outcome (the class of the answer, or why there was none) and by error code of the gateway, or OK.',
    labelNames: ['outcome', 'code'],
    registry,
  });
  const observeUse = observeSeries({
    name: 'secrets_gateway_use_seconds',
    help: 'Time from a request until all of its answer was written.',
    labelNames: ['outcome'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    registry,
  });
  const countCheck = countSeries({
    name: 'secrets_gateway_checks_total',
    help: 'Keys that providers were asked about, by what was found out; FAILED where none was asked.',
    labelNames: ['result'],
    registry,
  });
  const observeCheck = observeSeries({
    name: 'secrets_gateway_check_seconds',
    help: 'Time until a provider had said something about a key.',
    labelNames: ['result'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registry,
  });
  const told = new Counter({
    name: 'secrets_gateway_changes_told_total',
    help: 'Changes that were sent to subscriptions.',
    registers,
  });
  const countEnded = countSeries({
    name: 'secrets_gateway_subscriptions_ended_total',
    help: 'Subscriptions that ended, by reason: left (by its client), credentials, slow, shutdown or failed.',
    labelNames: ['reason'],
    registry,
  });
  const observeWork = observeSeries({
    name: 'secrets_gateway_work_seconds',
    help: 'Time taken by requests, the store, the crypto, the JWKS endpoint and the rate limiter.',
    labelNames: ['work', 'outcome'],
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registry,
  });
  addGauges(registers, sources);
  addState(registers, sources);
  return {
    operation(operation, code, seconds) {
      // To join two texts and to look up what came of it costs more than to count.
      count(code === 'OK' ? operation : `${code} ${operation}`, () => ({ operation, code }));
      observeLatency(operation, () => ({ operation }), seconds);
    },
    use(outcome, code, seconds) {
      countUse(`${outcome} ${code}`, () => ({ outcome, code }));
      observeUse(outcome, () => ({ outcome }), seconds);
    },
    check(result, seconds) {
      countCheck(result, () => ({ result }));
      observeCheck(result, () => ({ result }), seconds);
    },
    refusal: (code) => countRefusal(code, () => ({ code })),
    told: (events) => told.inc(events),
    ended: (reason) => countEnded(reason, () => ({ reason })),
    duration(name, seconds, failed) {
      const outcome = failed ? 'failed' : 'done';
      observeWork(failed ? `failed ${name}` : name, () => ({ work: name, outcome }), seconds);
    },
    route: metricsRoute(registry),
  };
}

function addGauges(registers: Registry[], { inFlight, subscriptions, uses, backlog, issuerKeys }: MetricSources): void {
  new Gauge({
    name: 'secrets_gateway_issuer_keys',
    help: 'Keys that an issuer publishes, usable or not. Without a usable one its tokens are not accepted.',
    labelNames: ['issuer', 'usable'],
    registers,
    collect() {
      for (const { issuer, usable, unusable } of issuerKeys()) {
        this.set({ issuer, usable: 'yes' }, usable);
        this.set({ issuer, usable: 'no' }, unusable);
      }
    },
  });
  new Gauge({
    name: 'secrets_gateway_requests_in_flight',
    help: 'Requests being answered.',
    registers,
    collect() {
      this.set(inFlight());
    },
  });
  new Gauge({
    name: 'secrets_gateway_subscriptions',
    help: 'Subscriptions that are open. They are no requests in flight.',
    registers,
    collect() {
      this.set(subscriptions());
    },
  });
  new Gauge({
    name: 'secrets_gateway_uses_open',
    help: 'Uses of secrets that are under way. They are no requests in flight.',
    registers,
    collect() {
      this.set(uses());
    },
  });
  new Gauge({
    name: 'secrets_gateway_commits_waiting',
    help: 'Commits that wait for the store or are being written.',
    registers,
    collect() {
      this.set(backlog().commits);
    },
  });
  new Gauge({
    name: 'secrets_gateway_commit_oldest_seconds',
    help: 'Age of the oldest of these commits. Over 5 it is stuck.',
    registers,
    collect() {
      this.set(backlog().oldestMs / 1000);
    },
  });
  new Gauge({
    name: 'secrets_gateway_resident_memory_bytes',
    help: 'Memory of the process.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
}

function addState(registers: Registry[], { outcomes, version }: MetricSources): void {
  new Gauge({
    name: 'secrets_gateway_check_passed',
    help: 'Whether a check of /readyz passes (1) or fails (0).',
    labelNames: ['check'],
    registers,
    async collect() {
      for (const { name, passed } of await outcomes()) this.set({ check: name }, passed ? 1 : 0);
    },
  });
  new Gauge({
    name: 'secrets_gateway_build_info',
    help: 'Always 1. The labels tell what runs.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.versions.node }, 1);
}

function metricsRoute(registry: Registry): Route {
  return {
    path: '/metrics',
    methods: ['GET', 'HEAD'],
    // Also while the gateway is overloaded: that is when its metrics are looked at.
    admission: 'always',
    anyHost: false,
    crossOrigin: false,
    limits: bodyless,
    errors: jsonErrors,
    async answer({ response }) {
      const body = (await registry.metrics()) + (await processMetrics().metrics());
      response.writeHead(200, { 'Content-Type': registry.contentType });
      response.end(body);
    },
  };
}
