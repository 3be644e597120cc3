import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Identities } from './identities.ts';
import type { Load, LoadResult } from './load.ts';
import type { Work } from './work.ts';

/** The load generator in its own process. */
export class LoadProcess {
  readonly #process: ChildProcess = fork(join(import.meta.dirname, 'load.ts'));
  readonly #tokens = new Map<string, Promise<string>>();
  readonly #identities: Identities;

  constructor(identities: Identities) {
    this.#identities = identities;
  }

  /** @throws Error when an answer was wrong */
  async run(port: number, work: Work, connections: number, seconds: number): Promise<LoadResult> {
    const requests = await Promise.all(
      Array.from({ length: connections }, async (_, connection) => {
        const { query, operationName } = work;
        const body = JSON.stringify({ operationName, query, variables: work.variables(connection) });
        return { token: await this.tokenOf(work.subject(connection)), body };
      }),
    );
    const load: Load = { port, seconds, requests, refused: work.refused ?? false, cycle: work.cycle ?? null };
    const answered = once(this.#process, 'message');
    this.#process.send(load);
    const [result] = (await answered) as [LoadResult | { failed: string }];
    if ('failed' in result) throw new Error(`${work.name}: ${result.failed}`);
    if (result.wrong > 0) {
      throw new Error(`${work.name}: ${result.wrong} of ${result.requests} answers were wrong:\n${result.firstWrong}`);
    }
    return result;
  }

  async tokenOf(subject: string | null): Promise<string | null> {
    if (subject === null) return null;
    const token = this.#tokens.get(subject) ?? this.#identities.token(subject);
    this.#tokens.set(subject, token);
    return token;
  }

  stop(): void {
    this.#process.disconnect();
  }
}
