import { ratioText } from '../goals.ts';
import { table } from '../report.ts';
import { median, pairedRatio } from '../statistics.ts';
import type { Figures, Series } from './measure.ts';

export const bare = 'bare node:http';

/** CPU of each proxy's process, and its ratio to that of the bare proxy in the same round. */
export function cpuTable(all: readonly Series[], title: string): string {
  return tableOf(all, title, (series, base) => {
    const figure = `${median(series.cpuMicroseconds).toFixed(0)} µs`;
    if (series === base) return figure;
    return `${figure}, ${ratioText(pairedRatio(series.cpuMicroseconds, base.cpuMicroseconds))}`;
  });
}

/** How much later the answer is whole than directly from the upstream. */
export function latencyTable(all: readonly Series[], title: string): string {
  return tableOf(all, title, ({ addedMicroseconds }) => {
    const [least, most] = [Math.min(...addedMicroseconds), Math.max(...addedMicroseconds)];
    return `${median(addedMicroseconds).toFixed(0)} µs (${least.toFixed(0)}–${most.toFixed(0)})`;
  });
}

function tableOf(all: readonly Series[], title: string, cell: (series: Series, base: Series) => string): string {
  const proxies = [...new Set(all.map(({ proxy }) => proxy))];
  const rows = [...Map.groupBy(all, ({ workload }) => workload)].map(([workload, group]) => {
    const base = group.find(({ proxy }) => proxy === bare);
    const cells = proxies.map((name) => {
      const series = group.find(({ proxy }) => proxy === name);
      return series && base ? cell(series, base) : '';
    });
    return [workload, ...cells];
  });
  return table([title, ...proxies], rows);
}

export interface Uses {
  readonly what: string;
  readonly rounds: readonly Figures[];
}

export function usesTable(all: readonly Uses[], title: string): string {
  const rows = all.map(({ what, rounds }) => {
    const of = (field: keyof Figures) => rounds.map((figures) => figures[field]);
    const rates = of('requestsPerSecond');
    return [
      what,
      `${median(rates).toFixed(0)} (${Math.min(...rates).toFixed(0)}–${Math.max(...rates).toFixed(0)})`,
      median(of('cpuMicroseconds')).toFixed(0),
      (median(of('p50Microseconds')) / 1000).toFixed(1),
    ];
  });
  return table([title, 'uses/s', 'CPU µs', 'p50 ms'], rows);
}
