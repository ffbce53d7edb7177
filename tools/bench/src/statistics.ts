// What a handful of measurements comes down to.

/** All in the unit of the values. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  /** Nine of ten values are at most this: a value that was measured, not one in between. */
  readonly p90: number;
  readonly max: number;
}

/** @returns null when there are no values */
export function summarise(values: readonly number[]): Summary | null {
  const sorted = [...values].sort((a, b) => a - b);
  const count = sorted.length;
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return null;
  const upper = sorted[Math.floor(count / 2)] as number;
  const lower = sorted[Math.ceil(count / 2) - 1] as number;
  return {
    count,
    min: rounded(min),
    median: rounded((lower + upper) / 2),
    p90: rounded(sorted[Math.ceil(0.9 * count) - 1] as number),
    max: rounded(max),
  };
}

/** To the hundredth: more digits than that are noise in milliseconds of a busy machine. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
