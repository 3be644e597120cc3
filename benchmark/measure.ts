import type { Contender, ContenderName } from './contender.ts';
import type { LoadProcess } from './load-process.ts';
import type { MongodCommands } from './mongod-commands.ts';
import { progress } from './progress.ts';
import type { Work } from './work.ts';

/** One piece of work at one concurrency, and its contenders. */
export interface Cell {
  readonly work: Work;
  readonly connections: number;
  readonly seconds: number;
  readonly contenders: readonly ContenderName[];
}

export interface Figures {
  readonly cpuMicroseconds: number;
  readonly requestsPerSecond: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  /** Commands to MongoDB for each request. */
  readonly commands: number;
  /** CPU time of the load generator for each request. */
  readonly loadCpuMicroseconds: number;
}

export interface Series {
  readonly work: string;
  readonly connections: number;
  readonly contender: ContenderName;
  /** By round: round n of one contender forms a pair with round n of another. */
  readonly rounds: Figures[];
}

/** The instruments: the load generator, and the mongod that counts its commands. */
export interface Instruments {
  readonly load: LoadProcess;
  readonly mongod: MongodCommands;
}

export async function measureOnce(
  contender: Contender,
  { load, mongod }: Instruments,
  cell: Omit<Cell, 'contenders'>,
): Promise<Figures> {
  const commandsBefore = await mongod.total();
  const before = await contender.usage();
  const result = await load.run(contender.port, cell.work, cell.connections, cell.seconds);
  const after = await contender.usage();
  const commands = (await mongod.total()) - commandsBefore;
  return {
    cpuMicroseconds: (after.cpuMicroseconds - before.cpuMicroseconds) / result.requests,
    requestsPerSecond: result.requests / result.seconds,
    p50Milliseconds: result.p50Milliseconds,
    p99Milliseconds: result.p99Milliseconds,
    commands: commands / result.requests,
    loadCpuMicroseconds: result.cpuMicroseconds / result.requests,
  };
}

/** Measures every contender in every cell, once per round, in reverse order in every second round. */
export async function measure(
  cells: readonly Cell[],
  contenders: readonly Contender[],
  instruments: Instruments,
  rounds: number,
): Promise<Series[]> {
  const all = cells.flatMap((cell) =>
    contenders
      .filter(({ name }) => cell.contenders.includes(name))
      .map((contender) => {
        const series: Series = {
          work: cell.work.name,
          connections: cell.connections,
          contender: contender.name,
          rounds: [],
        };
        return { cell, contender, series };
      }),
  );
  const total = all.reduce((seconds, { cell }) => seconds + cell.seconds, 0) * rounds;
  let done = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const { cell, contender, series } of round % 2 ? all.toReversed() : all) {
      progress(
        `round ${round + 1} of ${rounds}: ${cell.work.name} × ${cell.connections}, ${contender.name}`,
        done,
        total,
      );
      series.rounds.push(await measureOnce(contender, instruments, cell));
      done += cell.seconds;
    }
  }
  progress('measured', total, total);
  return all.map(({ series }) => series);
}

/** Optimising compilers need some thousand requests before the measurements are stable. */
export async function warmUp(
  cells: readonly Cell[],
  contenders: readonly Contender[],
  load: LoadProcess,
  seconds: number,
): Promise<void> {
  const works = [...new Set(cells.map((cell) => cell.work))];
  let done = 0;
  for (const work of works) {
    for (const contender of contenders) {
      progress(`warming up: ${work.name}, ${contender.name}`, done, works.length * contenders.length);
      const takesPart = cells.some((cell) => cell.work === work && cell.contenders.includes(contender.name));
      if (takesPart) await load.run(contender.port, work, 32, seconds);
      done += 1;
    }
  }
}
