import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { progress } from '../progress.ts';
import type { Load, LoadResult } from './load.ts';
import { type Protocol, type ProxyProcess, requestOf } from './proxies.ts';
import type { Workload } from './workloads.ts';

/** The load generator, in its own process. */
export class LoadProcess {
  readonly #process: ChildProcess = fork(join(import.meta.dirname, 'load.ts'));

  /** @throws Error when an answer was wrong */
  async run(
    target: Pick<ProxyProcess, 'port' | 'address'>,
    { workload, protocol, callers, connections, seconds }: Run,
  ): Promise<LoadResult> {
    const requests = Array.from({ length: connections }, (_, n) =>
      requestOf(target, { workload, protocol, connection: n % callers }),
    );
    const load: Load = { port: target.port, seconds, requests, answerBytes: workload.answerBytes };
    const answered = once(this.#process, 'message');
    this.#process.send(load);
    const [result] = (await answered) as [LoadResult | { failed: string }];
    if ('failed' in result) throw new Error(`${workload.name}: ${result.failed}`);
    return result;
  }

  stop(): void {
    this.#process.disconnect();
  }
}

export interface Run {
  readonly workload: Workload;
  readonly protocol: Protocol;
  /** So many callers share the connections. */
  readonly callers: number;
  readonly connections: number;
  readonly seconds: number;
}

export interface Figures {
  readonly cpuMicroseconds: number;
  readonly requestsPerSecond: number;
  readonly p50Microseconds: number;
}

export async function measureOnce(load: LoadProcess, proxy: ProxyProcess, run: Run): Promise<Figures> {
  const before = await proxy.cpuMicroseconds();
  const { requests, seconds, p50Microseconds } = await load.run(proxy, run);
  const cpuMicroseconds = ((await proxy.cpuMicroseconds()) - before) / requests;
  return { cpuMicroseconds, requestsPerSecond: requests / seconds, p50Microseconds };
}

/** One proxy with one workload to one of the upstream's ports. By round: round n of one forms a pair with round n of another. */
export interface Series {
  readonly proxy: string;
  readonly workload: string;
  readonly protocol: Protocol;
  readonly cpuMicroseconds: number[];
  /** How much later than directly from the upstream the answer is whole, one request at a time. */
  readonly addedMicroseconds: number[];
}

export interface Effort {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
}

/** Optimising compilers need some thousand requests before the measurements are stable. */
const warmUpRounds = 2;

/** Measures each proxy with each workload, once in a round, in reverse order in every second round. */
export async function measure(
  load: LoadProcess,
  proxies: readonly ProxyProcess[],
  direct: Readonly<Record<Protocol, Pick<ProxyProcess, 'port' | 'address'>>>,
  workloads: readonly Workload[],
  { rounds, seconds, connections }: Effort,
): Promise<Series[]> {
  const all = workloads.flatMap((workload) =>
    proxies.flatMap((proxy) =>
      proxy.protocols.map((protocol) => {
        const series: Series = {
          proxy: proxy.name,
          workload: workload.name,
          protocol,
          cpuMicroseconds: [],
          addedMicroseconds: [],
        };
        return { proxy, workload, protocol, series };
      }),
    ),
  );
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    let done = 0;
    for (const { proxy, workload, protocol, series } of round % 2 ? all.toReversed() : all) {
      progress(
        `${round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`}: ${workload.name}, ${proxy.name}`,
        done,
        all.length,
      );
      const run = { workload, protocol, callers: connections, connections, seconds };
      const alone = { ...run, connections: 1, seconds: seconds / 3 };
      const { cpuMicroseconds } = await measureOnce(load, proxy, run);
      const { p50Microseconds } = await load.run(direct[protocol], alone);
      const { p50Microseconds: through } = await load.run(proxy, alone);
      if (round >= 0) {
        series.cpuMicroseconds.push(cpuMicroseconds);
        series.addedMicroseconds.push(through - p50Microseconds);
      }
      done += 1;
    }
  }
  return all.map(({ series }) => series);
}
