import type { ServerResponse } from 'node:http';
import { DomainError } from '../errors.ts';
import { jsonErrors } from '../http/refusal.ts';
import { bodyless, type Route } from '../http/route.ts';
import { withDeadline } from '../runtime/deadline.ts';

/**
 * What must work before the gateway is sent requests; each rejects or times out when it does not. The `reason` of its
 * DomainError is shown, and so is the word that one resolves to: what is wrong although the gateway works.
 */
export type ReadinessChecks = Readonly<Record<string, () => Promise<unknown>>>;

const checkMs = 2000;

const probe = {
  methods: ['GET', 'HEAD'],
  // Probes are needed most while the gateway is overloaded or shutting down, and they name it by its address.
  admission: 'always',
  anyHost: true,
  crossOrigin: false,
  limits: bodyless,
  errors: jsonErrors,
} as const;

/** `GET /livez`: the process is there and its event loop runs. */
export const liveness: Route = {
  ...probe,
  path: '/livez',
  answer: ({ response }) => sendJson(response, 200, { status: 'ok' }),
};

export interface Readiness {
  /** `GET /readyz`: whether the gateway should be sent requests, check by check. */
  readonly route: Route;
  /** Runs the checks, or waits for a run that has begun. */
  outcomes(): Promise<Outcomes>;
}

export function readiness(checks: ReadinessChecks, isDraining: () => boolean): Readiness {
  let running: Promise<Outcomes> | null = null;

  /** Anybody may ask, as often as they like: requests that come meanwhile share one run of the checks. */
  function run(): Promise<Outcomes> {
    running ??= outcomesOf(checks).finally(() => {
      running = null;
    });
    return running;
  }

  const route: Route = {
    ...probe,
    path: '/readyz',
    async answer({ response }) {
      const outcomes = await run();
      const isReady = !isDraining() && outcomes.every(({ passed }) => passed);
      const reasons = outcomes.flatMap(({ name, reason }) => (reason === undefined ? [] : [[name, reason]]));
      sendJson(response, isReady ? 200 : 503, {
        status: isDraining() ? 'draining' : isReady ? 'ok' : 'failed',
        checks: Object.fromEntries(outcomes.map(({ name, passed }) => [name, passed ? 'ok' : 'failed'])),
        ...(reasons.length > 0 && { reasons: Object.fromEntries(reasons) }),
      });
    },
  };
  return { route, outcomes: run };
}

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly reason?: string;
}

export type Outcomes = readonly Outcome[];

function outcomesOf(checks: ReadinessChecks): Promise<Outcomes> {
  return Promise.all(Object.entries(checks).map(async ([name, check]) => ({ name, ...(await outcomeOf(check)) })));
}

async function outcomeOf(check: () => Promise<unknown>): Promise<Omit<Outcome, 'name'>> {
  try {
    const found = await withDeadline(
      check(),
      checkMs,
      () => new DomainError('GATEWAY_TIMEOUT', { reason: 'no-answer' }),
    );
    return { passed: true, ...(typeof found === 'string' && { reason: found }) };
  } catch (error) {
    const reason = error instanceof DomainError ? error.details.reason : undefined;
    return { passed: false, ...(reason !== undefined && { reason }) };
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}
