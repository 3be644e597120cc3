import { Agent, request } from 'node:http';
import { parentPort, Worker, workerData } from 'node:worker_threads';

export interface Sample {
  milliseconds: number;
  /** 0 when there was no answer. */
  status: number;
}

interface Target {
  url: string;
  token: string;
  body: string;
  intervalMs: number;
}

/**
 * A well-behaved client on a thread of its own, so that what the test does besides does not slow what it measures.
 * It asks at fixed times, however long the answers take: who waits for one answer before the next question sees a
 * stall once, when many would have.
 */
export class SteadyClient {
  readonly #worker: Worker;

  constructor(target: Target) {
    this.#worker = new Worker(new URL(import.meta.url), { workerData: target });
  }

  /** What was asked since it was last called. */
  take(): Promise<Sample[]> {
    const taken = new Promise<Sample[]>((resolve) => this.#worker.once('message', resolve));
    this.#worker.postMessage('take');
    return taken;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** The sample that `share` of all samples are no longer than. */
export function percentile(samples: readonly Sample[], share: number): number {
  const sorted = samples.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

if (parentPort && (workerData as Partial<Target> | null)?.intervalMs) {
  const { url, token, body, intervalMs } = workerData as Target;
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  let samples: Sample[] = [];
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    authorization: `Bearer ${token}`,
  };
  setInterval(() => {
    const startedAt = performance.now();
    const done = (status: number) => samples.push({ milliseconds: performance.now() - startedAt, status });
    const outgoing = request(url, { agent, method: 'POST', headers }, (response) => {
      response.resume().on('end', () => done(response.statusCode ?? 0));
    });
    outgoing.on('error', () => done(0)).end(body);
  }, intervalMs);
  parentPort.on('message', () => {
    parentPort?.postMessage(samples);
    samples = [];
  });
}
