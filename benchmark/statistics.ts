export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** The ratio of measurements that were taken in pairs, one directly after the other. */
export interface Ratio {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Uses the ratio of each pair, not of two medians: a temporary load on the machine slows both of a pair. */
export function pairedRatio(numerators: readonly number[], denominators: readonly number[]): Ratio {
  const ratios = numerators.map((numerator, round) => numerator / (denominators[round] ?? Number.NaN));
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}
