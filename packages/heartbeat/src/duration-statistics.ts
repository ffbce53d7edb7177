// Running statistics of durations: mean and deviation (Welford 1962), extremes, and a histogram with fixed buckets.
// Recording allocates nothing; only a snapshot does.

/** Upper limits of the default buckets in milliseconds: fine where heartbeats live, coarse beyond. */
export const DURATION_BUCKETS_MS: readonly number[] = [
  0.1, 0.2, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 25, 28, 30, 35, 40,
  45, 50, 60, 70, 80, 90, 100, 120, 150, 200, 250, 300, 400, 500, 700, 1000, 1500, 2000, 3000, 5000, 10_000,
  30_000, 60_000,
];

/** How many durations were above the limit before and at most this one. */
export interface DurationBucket {
  /** `Infinity` in the last one. */
  readonly upToMs: number;
  readonly count: number;
}

/** What {@link DurationStatistics.snapshot} gives. With `count` 0 every figure is 0. */
export interface DurationSummary {
  readonly count: number;
  readonly meanMs: number;
  /** Standard deviation of the sample (n - 1); 0 for fewer than two. */
  readonly stddevMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Half of the durations were at most this; interpolated within a bucket. */
  readonly p50Ms: number;
  /** Of 100 durations 99 were at most this; interpolated within a bucket. */
  readonly p99Ms: number;
  readonly buckets: readonly DurationBucket[];
}

/** Collects durations. */
export class DurationStatistics {
  readonly #limits: Float64Array;
  readonly #counts: Float64Array;
  #count = 0;
  #mean = 0;
  /** Sum of squared differences from the mean. */
  #squares = 0;
  #min = 0;
  #max = 0;

  /** @param bucketsMs upper limits in ascending order; a last bucket without limit is added */
  constructor(bucketsMs: readonly number[] = DURATION_BUCKETS_MS) {
    this.#limits = Float64Array.from(bucketsMs);
    this.#counts = new Float64Array(bucketsMs.length + 1);
  }

  get count(): number {
    return this.#count;
  }

  get meanMs(): number {
    return this.#mean;
  }

  get stddevMs(): number {
    return this.#count < 2 ? 0 : Math.sqrt(this.#squares / (this.#count - 1));
  }

  get minMs(): number {
    return this.#min;
  }

  get maxMs(): number {
    return this.#max;
  }

  /** Adds one duration; negative ones count as 0. */
  record(durationMs: number): void {
    const value = durationMs > 0 ? durationMs : 0;
    this.#min = this.#count === 0 ? value : Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
    this.#count++;
    const delta = value - this.#mean;
    this.#mean += delta / this.#count;
    this.#squares += delta * (value - this.#mean);
    const bucket = this.#bucketOf(value);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
  }

  /** The duration that a share of `fraction` (0 to 1) did not exceed; exact to the width of a bucket. */
  percentileMs(fraction: number): number {
    if (this.#count === 0) return 0;
    const rank = Math.min(1, Math.max(0, fraction)) * this.#count;
    let below = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      const count = this.#counts[bucket] as number;
      if (count > 0 && below + count >= rank) {
        const low = Math.max(this.#min, bucket === 0 ? 0 : (this.#limits[bucket - 1] as number));
        const high = Math.min(this.#max, this.#limits[bucket] ?? this.#max);
        return low + (Math.max(0, rank - below) / count) * (high - low);
      }
      below += count;
    }
    return this.#max;
  }

  snapshot(): DurationSummary {
    return {
      count: this.#count,
      meanMs: this.#mean,
      stddevMs: this.stddevMs,
      minMs: this.#min,
      maxMs: this.#max,
      p50Ms: this.percentileMs(0.5),
      p99Ms: this.percentileMs(0.99),
      buckets: Array.from(this.#counts, (count, bucket) => ({
        upToMs: this.#limits[bucket] ?? Number.POSITIVE_INFINITY,
        count,
      })),
    };
  }

  /** Forgets everything. */
  reset(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#mean = 0;
    this.#squares = 0;
    this.#min = 0;
    this.#max = 0;
  }

  /** The first bucket whose limit is not below `value`, by halving. */
  #bucketOf(value: number): number {
    let low = 0;
    let high = this.#limits.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#limits[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
