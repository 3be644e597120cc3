import { Counter, Histogram, type Registry } from 'prom-client';

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

/** @returns what observes a value; the key tells the series apart */
export function observeSeries<L extends string>({
  name,
  help,
  registry,
  buckets,
}: Description<L> & { readonly buckets: number[] }) {
  const all = new Map<string, { readonly labels: Labels<L>; readonly histogram: Histogram }>();
  const metric = {
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    async get() {
      // All of them at one time.
      const series = Array.from(all.values(), async ({ labels, histogram }) => {
        const { values } = await histogram.get();
        return values.map((value) => ({ ...value, sharedLabels: labels }));
      });
      return { name, help, type: 'histogram', aggregator: 'sum', values: (await Promise.all(series)).flat() };
    },
    reset: () => all.clear(),
  };
  registry.registerMetric(metric as never);
  return (key: string, labels: () => Labels<L>, value: number): void => {
    let known = all.get(key);
    if (!known) {
      known = { labels: labels(), histogram: new Histogram({ name, help, buckets, registers: [] }) };
      all.set(key, known);
    }
    known.histogram.observe(value);
  };
}
