import type { Goal } from './goals.ts';
import { ratioText } from './goals.ts';
import type { Figures, Series } from './measure.ts';
import type { SelfTime } from './profile.ts';
import { median, pairedRatio } from './statistics.ts';

type Cells = readonly string[];

/** The first column is aligned left, the others right. */
export function table(head: Cells, rows: readonly Cells[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => [...(row[column] ?? '')].length)));
  const line = (row: Cells) =>
    row
      .map((cell, column) => {
        const padding = ' '.repeat((widths[column] ?? 0) - [...cell].length);
        return column === 0 ? cell + padding : padding + cell;
      })
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

export function goalsTable(goals: readonly Goal[]): string {
  const rows = goals.map(({ what, goal, figure, met }) => [
    what,
    goal,
    figure,
    met === null ? '' : met ? 'met' : 'MISSED',
  ]);
  return table(['goal', 'limit', 'median (min–max)', ''], rows);
}

export const medianOf = (series: Series, of: keyof Figures): number => median(series.rounds.map((round) => round[of]));

/** One table for each piece of work at each concurrency; the ratios are the gateway's to that contender, by round. */
export function seriesTables(all: readonly Series[], residentMegabytes: ReadonlyMap<string, number>): string {
  const groups = Map.groupBy(all, ({ work, connections }) => `${work}, ${connections} at once`);
  return [...groups]
    .map(([title, group]) => {
      const [gateway] = group;
      const rows = group.map((series) => [
        series.contender,
        medianOf(series, 'cpuMicroseconds').toFixed(0),
        ratioTo(gateway, series, 'cpuMicroseconds'),
        medianOf(series, 'requestsPerSecond').toFixed(0),
        ratioTo(gateway, series, 'requestsPerSecond'),
        medianOf(series, 'commands').toFixed(2),
        medianOf(series, 'p50Milliseconds').toFixed(2),
        medianOf(series, 'p99Milliseconds').toFixed(2),
        (residentMegabytes.get(series.contender) ?? 0).toFixed(0),
      ]);
      return table([title, 'CPU µs', 'ratio', 'req/s', 'ratio', 'commands', 'p50 ms', 'p99 ms', 'MB'], rows);
    })
    .join('\n\n');
}

function ratioTo(gateway: Series | undefined, series: Series, of: keyof Figures): string {
  if (!gateway || gateway === series) return '';
  const figures = ({ rounds }: Series) => rounds.map((round) => round[of]);
  return ratioText(pairedRatio(figures(gateway), figures(series)));
}

export function profileTable(title: string, times: readonly SelfTime[], requests: number): string {
  const rows = times
    .slice(0, 15)
    .map(({ name, microseconds, share }) => [
      name,
      `${(share * 100).toFixed(1)} %`,
      (microseconds / requests).toFixed(1),
    ]);
  return table([title, 'self', 'µs each'], rows);
}
