import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { errorTable } from '../../src/errors.ts';
import { CommandLine, type RunningGateway } from './command-line.ts';
import { createSecret } from './graphql.ts';
import { Issuer } from './issuer.ts';
import type { Measured } from './process-meter.ts';

export const mebibyte = 1024 * 1024;

/**
 * What one attack may cost, in CPU time of the gateway's process, as the reference machine of the meter would take it: neither
 * the load nor the speed of the machine matters.
 */
const bounds = {
  /** The longest time in which no other client is answered. */
  longestPieceMs: 50,
  /** RATE_LIMIT lets one caller send ten a second by default. */
  cpuMs: 100,
  /** The memory that the process may gain: what it holds while it answers, and what the garbage collector has not freed. */
  growthBytes: 160 * mebibyte,
};

/** At rest the gateway needs 45 MB of heap. A request that needs over 64 MB more ends the process. */
const heapMegabytes = 112;

/** Two, so that what an attack leaves behind adds up. */
const [leastRounds, mostRounds] = [2, 5];

export interface AttackAnswer {
  readonly status: number;
  readonly text: string;
  /** Of the points of the caller. */
  readonly remaining: number;
}

/** A gateway in its own process, with a rate limit out of reach: each attack must be harmless by itself, not because it is rare. */
export class AttackedGateway {
  readonly shell: CommandLine;
  readonly gateway: RunningGateway;
  readonly token: string;
  readonly #issuer: Issuer;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 400 });
  #bytesAtRest = 0;

  private constructor(shell: CommandLine, gateway: RunningGateway, issuer: Issuer, token: string) {
    [this.shell, this.gateway, this.#issuer, this.token] = [shell, gateway, issuer, token];
  }

  static async start(): Promise<AttackedGateway> {
    const issuer = await Issuer.start();
    const shell = await CommandLine.open();
    const env = {
      ...issuer.settings,
      RATE_LIMIT: '999999999/24h',
      NODE_OPTIONS: `--max-old-space-size=${heapMegabytes}`,
    };
    const gateway = await shell.serve(env, [join(import.meta.dirname, 'process-meter.ts')]);
    const attacked = new AttackedGateway(shell, gateway, issuer, await issuer.token());
    await attacked.#warmUp();
    return attacked;
  }

  /** Headers of another caller, for `post`. */
  async caller(claims: Record<string, unknown>): Promise<{ authorization: string }> {
    return { authorization: `Bearer ${await this.#issuer.token(claims)}` };
  }

  get port(): number {
    return Number(new URL(this.gateway.url).port);
  }

  async #warmUp(): Promise<void> {
    for (let i = 0; i < 20; i += 1) {
      const input = { name: `NAME_${i}`, provider: 'openai', value: 'a value' };
      expect((await this.run(createSecret(), { input })).status).toBe(200);
    }
    for (let i = 0; i < 100; i += 1) await this.askAsOthersDo();
    this.#bytesAtRest = (await this.take()).peakBytes;
  }

  run(query: string, variables: unknown = {}): Promise<AttackAnswer> {
    return this.post(JSON.stringify({ query, variables }));
  }

  async post(body: string | Buffer, headers: Record<string, string | number> = {}): Promise<AttackAnswer> {
    return new Promise((resolve, reject) => {
      const all = {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json',
        authorization: `Bearer ${this.token}`,
        ...headers,
      };
      request(this.gateway.url, { agent: this.#agent, method: 'POST', headers: all }, async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve({
          status: response.statusCode ?? 0,
          text,
          remaining: Number(response.headers['ratelimit-remaining']),
        });
      })
        .on('error', reject)
        .end(body);
    });
  }

  /** Sends a piece until the connection is closed or all is sent. @returns the answer, and how many bytes were sent */
  async flood(headers: string, piece: Buffer, bytes: number): Promise<{ text: string; sent: number }> {
    return new Promise((resolve) => {
      let [text, sent, isOver] = ['', 0, false];
      const socket = connect(this.port, '127.0.0.1');
      const send = () => {
        while (!isOver && sent < bytes) {
          sent += piece.length;
          if (!socket.write(piece)) return;
        }
      };
      socket.write(
        `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer ${this.token}\r\n${headers}\r\n\r\n`,
      );
      socket.on('drain', send).on('data', (data) => {
        text += data;
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        isOver = true;
        resolve({ text, sent });
      });
      send();
    });
  }

  /** A request of another client during an attack, which must be answered. */
  async askAsOthersDo(): Promise<void> {
    const { status, text } = await this.run('{ secrets(first: 20) { totalCount nodes { id name maskedValue } } }');
    expect([status, text.includes('"errors"')]).toEqual([200, false]);
  }

  async take(): Promise<Measured> {
    return (await this.gateway.ask('take')) as Measured;
  }

  /**
   * Sends the attack several times, each time together with a request of another client, which must be answered.
   * The cheapest round is judged: what an attack costs is in each of them, what a slow machine, the compiler or the
   * garbage collector adds is not. No more are sent once one of them was cheap enough. Memory is the peak of all.
   * @param atOnce how many attacks one call of `send` makes
   * @throws unless each gets the expected answer, and is harmless
   */
  async attack<T>(what: string, send: () => Promise<T>, check: (answer: T) => void, atOnce = 1): Promise<void> {
    await this.take();
    const measured: Measured[] = [];
    while (measured.length < leastRounds || (measured.length < mostRounds && !this.#isHarmless(measured, atOnce))) {
      const [answer] = await Promise.all([send(), this.askAsOthersDo()]);
      measured.push(await this.take());
      check(answer);
    }
    this.expectHarmless(what, cheapest(measured), atOnce);
  }

  #isHarmless(measured: Measured[], attacks: number): boolean {
    const { longestPieceMs, cpuMs } = cheapest(measured);
    return longestPieceMs < bounds.longestPieceMs && cpuMs / attacks < bounds.cpuMs;
  }

  growthOf({ peakBytes }: Measured): number {
    return peakBytes - this.#bytesAtRest;
  }

  /** The points that a request takes, when no other is sent. */
  async pointsOf(send: () => Promise<AttackAnswer>): Promise<number> {
    const before = await this.run('{ __typename }');
    return before.remaining - (await send()).remaining;
  }

  expectHarmless(what: string, measured: Measured, attacks = 1): void {
    const cpuMs = measured.cpuMs / attacks;
    const growth = this.growthOf(measured);
    console.info(
      `${what}: ${measured.longestPieceMs.toFixed(1)} ms in one piece, ${cpuMs.toFixed(1)} ms in all, ${(growth / mebibyte).toFixed()} MiB`,
    );
    expect(measured.longestPieceMs, 'in one piece').toBeLessThan(bounds.longestPieceMs);
    expect(cpuMs, 'CPU time').toBeLessThan(bounds.cpuMs);
    expect(growth, 'memory').toBeLessThan(bounds.growthBytes);
  }

  /** @param expected codes of requests that may have failed */
  async close(...expected: string[]): Promise<void> {
    this.#agent.destroy();
    const { code, stderr } = await this.gateway.stop();
    await this.shell.close();
    await this.#issuer.close();
    const failures = stderr.split('\n').filter((line) => line.includes('"level":50'));
    const unexpected = failures.filter((line) => !expected.some((one) => line.includes(one)));
    expect([code, unexpected]).toEqual([0, []]);
  }
}

const cheapest = (rounds: Measured[]): Measured => ({
  longestPieceMs: Math.min(...rounds.map((one) => one.longestPieceMs)),
  cpuMs: Math.min(...rounds.map((one) => one.cpuMs)),
  peakBytes: Math.max(...rounds.map((one) => one.peakBytes)),
  slowness: Math.max(...rounds.map((one) => one.slowness)),
});

/** Expects an error that is in the table, and is not an internal one. @returns its type */
export function typeOf({ status, text }: AttackAnswer): string {
  const { extensions } = JSON.parse(text).errors[0];
  const row = errorTable[extensions.code as keyof typeof errorTable];
  expect(row, text).toBeDefined();
  expect(extensions.code).not.toBe('INTERNAL_SERVER_ERROR');
  expect(extensions.status).toBe(row.status);
  expect(status).toBe(row.status);
  expect(extensions.requestId).toMatch(/./);
  return extensions.type;
}
