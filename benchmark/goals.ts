import type { ContenderName } from './contender.ts';
import type { Figures, Series } from './measure.ts';
import type { StartUp } from './start-up.ts';
import { pairedRatio, type Ratio } from './statistics.ts';
import * as work from './work.ts';

/** A line of the table of goals. */
export interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly figure: string;
  /** Null when another run measures it. */
  readonly met: boolean | null;
}

/** The limit for the ratio of a measure of the gateway to that of a peer. */
interface RatioGoal {
  readonly what: string;
  readonly work: work.Work;
  readonly connections: number;
  readonly of: keyof Figures;
  readonly ours?: ContenderName;
  readonly peer: ContenderName;
  readonly atMost?: number;
  readonly atLeast?: number;
}

const names: Readonly<Partial<Record<ContenderName, string>>> = {
  'bare, naive': 'bare, a call of the driver each',
  'bare, batched': 'bare, the same store',
};

function cpu(what: string, of: work.Work, connections: number, peer: ContenderName, atMost: number): RatioGoal {
  const title = `${what} × ${connections}: CPU / ${names[peer] ?? peer}`;
  return { what: title, work: of, connections, of: 'cpuMicroseconds', peer, atMost };
}

function speed(what: string, of: work.Work, peer: ContenderName, atLeast: number): RatioGoal {
  const title = `${what} × 32: requests/s / ${names[peer] ?? peer}`;
  return { what: title, work: of, connections: 32, of: 'requestsPerSecond', peer, atLeast };
}

const ratioGoals: readonly RatioGoal[] = [
  cpu('list', work.list, 32, 'bare, naive', 0.32),
  cpu('list', work.list, 32, 'bare, batched', 1.05),
  speed('list', work.list, 'Mercurius + JIT', 2.5),
  speed('list', work.list, 'Apollo Server 5', 3.2),
  cpu('list', work.list, 1, 'bare, naive', 0.8),
  cpu('list', work.list, 1, 'Mercurius + JIT', 0.7),
  cpu('one secret', work.one, 32, 'Mercurius + JIT', 0.32),
  cpu('one secret', work.one, 32, 'bare, batched', 1.25),
  speed('create', work.create, 'bare, naive', 3),
  cpu('create', work.create, 32, 'bare, batched', 1.1),
  cpu('update', work.update, 32, 'bare, batched', 1.1),
  cpu('10 aliased lists', work.tenLists, 32, 'bare, batched', 0.92),
  cpu('_entities of 100', work.entities, 32, 'bare, naive', 0.95),
  cpu('refusal without credentials', work.refusal, 32, 'Mercurius + JIT', 1),
  cpu('refusal without credentials', work.refusal, 32, 'bare, naive', 2),
  {
    ...cpu('SQLite, list', work.list, 1, 'secrets-gateway', 0.4),
    what: 'SQLite, list × 1: CPU / on MongoDB',
    ours: 'secrets-gateway, SQLite',
  },
];

function seriesOf(
  all: readonly Series[],
  { name }: work.Work,
  connections: number,
  contender: ContenderName,
): Series | undefined {
  return all.find((one) => one.work === name && one.connections === connections && one.contender === contender);
}

export function ratioOf(
  series: readonly Series[],
  { work, connections, of, peer, ours: name = 'secrets-gateway' }: RatioGoal,
): Ratio | undefined {
  const roundsOf = (contender: ContenderName) =>
    seriesOf(series, work, connections, contender)?.rounds.map((round) => round[of]);
  const ours = roundsOf(name);
  const theirs = roundsOf(peer);
  return ours && theirs && pairedRatio(ours, theirs);
}

export function goalsOf(series: readonly Series[], startUp: StartUp): Goal[] {
  const ratios = ratioGoals.flatMap((goal): Goal[] => {
    const ratio = ratioOf(series, goal);
    return ratio ? [limited(goal.what, ratio, goal)] : [];
  });
  const alone = seriesOf(series, work.list, 1, 'secrets-gateway');
  const commands = alone ? Math.max(...alone.rounds.map((round) => round.commands)) : Number.NaN;
  const seconds = startUp.firstAnswerSeconds;
  const megabytes = startUp.residentMegabytes;
  return [
    ...ratios,
    {
      // A gateway reports to the shared rate limit twice a second; a second command for each list would make it 2.
      what: 'commands for a list with totalCount',
      goal: '1',
      figure: commands.toFixed(2),
      met: commands < 1.1,
    },
    {
      what: 'start to first answer, embedded',
      goal: '≤ 0.4 s',
      figure: `${seconds.toFixed(2)} s`,
      met: seconds <= 0.4,
    },
    {
      what: 'memory at rest, embedded',
      goal: '≤ 95 MB',
      figure: `${megabytes.toFixed(0)} MB`,
      met: megabytes <= 95,
    },
    { what: 'JWT signature checks', goal: '1 per token', figure: 'counted in test/performance/', met: null },
    { what: 'p50 of a list at 1,000,000 / at 10,000', goal: '≤ 1.3', figure: 'run with --growth', met: null },
    { what: 'page at depth 50,000 / first page', goal: '≤ 1.3', figure: 'run with --growth', met: null },
  ];
}

/** A ratio with its limit. */
export function limited(what: string, ratio: Ratio, limit: { atMost?: number; atLeast?: number }): Goal {
  const { atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY } = limit;
  return {
    what,
    goal: limit.atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`,
    figure: ratioText(ratio),
    met: ratio.median <= atMost && ratio.median >= atLeast,
  };
}

export function ratioText({ median, min, max }: Ratio): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}
