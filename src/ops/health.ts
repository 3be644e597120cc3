import type { ServerResponse } from 'node:http';
import { withDeadline } from '../runtime/deadline.ts';

/** What must be well for the gateway to be sent requests; each rejects or times out when it is not. */
export type ReadinessChecks = Readonly<Record<string, () => Promise<unknown>>>;

const deadlineMilliseconds = 2000;

/** The process is there and its event loop turns. */
export function sendLiveness(response: ServerResponse): void {
  sendJson(response, 200, { status: 'ok' });
}

/** Whether the gateway should be sent requests, check by check. */
export async function sendReadiness(response: ServerResponse, draining: boolean, checks: ReadinessChecks) {
  const outcomes = await outcomesOf(checks);
  const ready = !draining && outcomes.every(([, outcome]) => outcome === 'ok');
  sendJson(response, ready ? 200 : 503, {
    status: draining ? 'draining' : ready ? 'ok' : 'failed',
    checks: Object.fromEntries(outcomes),
  });
}

type Outcomes = readonly (readonly [name: string, outcome: 'ok' | 'failed'])[];

const running = new WeakMap<ReadinessChecks, Promise<Outcomes>>();

/** Anybody may ask, as often as they like: those who ask meanwhile share what is being found out. */
function outcomesOf(checks: ReadinessChecks): Promise<Outcomes> {
  const known = running.get(checks);
  if (known) return known;
  const outcomes = Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, (await passes(check)) ? 'ok' : 'failed'] as const),
  ).finally(() => running.delete(checks));
  running.set(checks, outcomes);
  return outcomes;
}

async function passes(check: () => Promise<unknown>): Promise<boolean> {
  try {
    await withDeadline(check(), deadlineMilliseconds, () => new Error('too late'));
    return true;
  } catch {
    return false;
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}
