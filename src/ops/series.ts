import { Counter, type Registry } from 'prom-client';

// prom-client checks, sorts and joins the labels for each observation, which costs more than to count it. Here a series is
// found by one text, and prom-client learns of its labels when the metrics are asked for.

interface Description<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
  readonly registry: Registry;
}

type Labels<L extends string> = Record<L, string>;

/** @returns what counts one more; the key tells the series apart */
export function countSeries<L extends string>({ name, help, labelNames, registry }: Description<L>) {
  const counts = new Map<string, { readonly labels: Labels<L>; count: number }>();
  new Counter({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      for (const series of counts.values()) {
        this.inc(series.labels, series.count);
        series.count = 0;
      }
    },
  });
  return (key: string, labels: () => Labels<L>): void => {
    const known = counts.get(key);
    if (known) known.count += 1;
    else counts.set(key, { labels: labels(), count: 1 });
  };
}

interface Observed<L extends string> {
  readonly labels: Labels<L>;
  /** How many values were at most each bucket's limit and above the one before; the last has no limit. */
  readonly counts: number[];
  sum: number;
}

/**
 * @param buckets their limits, in ascending order
 * @returns what observes a value; the key tells the series apart
 */
export function observeSeries<L extends string>({
  name,
  help,
  registry,
  buckets,
}: Description<L> & { readonly buckets: readonly number[] }) {
  const all = new Map<string, Observed<L>>();
  const valuesOf = ({ labels, counts, sum }: Observed<L>) => {
    let count = 0;
    const values = counts.map((one, at) => {
      count += one;
      return {
        metricName: `${name}_bucket`,
        labels: { le: buckets[at] ?? '+Inf' },
        sharedLabels: labels,
        value: count,
      };
    });
    return [
      ...values,
      { metricName: `${name}_sum`, sharedLabels: labels, value: sum },
      { metricName: `${name}_count`, sharedLabels: labels, value: count },
    ];
  };
  const described = { name, help, type: 'histogram', aggregator: 'sum' };
  const metric = {
    ...described,
    get: async () => ({ ...described, values: [...all.values()].flatMap(valuesOf) }),
    reset: () => all.clear(),
  };
  registry.registerMetric(metric as never);
  return (key: string, labels: () => Labels<L>, value: number): void => {
    let known = all.get(key);
    if (!known) {
      known = { labels: labels(), counts: Array<number>(buckets.length + 1).fill(0), sum: 0 };
      all.set(key, known);
    }
    let at = 0;
    while (at < buckets.length && value > (buckets[at] ?? 0)) at += 1;
    known.counts[at] = (known.counts[at] ?? 0) + 1;
    known.sum += value;
  };
}
