import type { ContenderName } from './contender.ts';
import type { Figures, Series } from './measure.ts';
import type { StartUp } from './start-up.ts';
import { pairedRatio, type Ratio } from './statistics.ts';
import * as work from './work.ts';

/** A line of the table in DESIGN.md, Performance. */
export interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly figure: string;
  /** Null when another run measures it. */
  readonly met: boolean | null;
}

/** The limit for the ratio of a measure between two series. */
interface RatioGoal {
  readonly what: string;
  readonly work: work.Work;
  readonly connections: number;
  readonly of: keyof Figures;
  readonly peer: ContenderName;
  readonly atMost?: number;
  readonly atLeast?: number;
}

const ratioGoals: readonly RatioGoal[] = [
  {
    what: 'list × 32: CPU / bare, one find + one count',
    work: work.list,
    connections: 32,
    of: 'cpuMicroseconds',
    peer: 'bare, naive',
    atMost: 0.5,
  },
  {
    what: 'list × 32: CPU / bare, the same batching',
    work: work.list,
    connections: 32,
    of: 'cpuMicroseconds',
    peer: 'bare, batched',
    atMost: 1.15,
  },
  {
    what: 'list × 32: requests/s / Mercurius + JIT',
    work: work.list,
    connections: 32,
    of: 'requestsPerSecond',
    peer: 'Mercurius + JIT',
    atLeast: 2,
  },
  {
    what: 'list × 32: requests/s / Apollo Server 5',
    work: work.list,
    connections: 32,
    of: 'requestsPerSecond',
    peer: 'Apollo Server 5',
    atLeast: 3,
  },
  {
    what: 'list × 1: CPU / bare, one find + one count',
    work: work.list,
    connections: 1,
    of: 'cpuMicroseconds',
    peer: 'bare, naive',
    atMost: 1,
  },
  {
    what: 'create × 32: requests/s / bare, a transaction each',
    work: work.create,
    connections: 32,
    of: 'requestsPerSecond',
    peer: 'bare, naive',
    atLeast: 2.5,
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

export function ratioOf(series: readonly Series[], { work, connections, of, peer }: RatioGoal): Ratio | undefined {
  const roundsOf = (contender: ContenderName) =>
    seriesOf(series, work, connections, contender)?.rounds.map((round) => round[of]);
  const ours = roundsOf('secrets-gateway');
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
      goal: '≤ 0.6 s',
      figure: `${seconds.toFixed(2)} s`,
      met: seconds <= 0.6,
    },
    {
      what: 'memory at rest, embedded',
      goal: '≤ 120 MB',
      figure: `${megabytes.toFixed(0)} MB`,
      met: megabytes <= 120,
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
