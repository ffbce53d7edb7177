import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DURATION_BUCKETS_MS, DurationStatistics } from '../src/index.js';

function statisticsOf(values: readonly number[], buckets?: readonly number[]): DurationStatistics {
  const statistics = new DurationStatistics(buckets);
  for (const value of values) statistics.record(value);
  return statistics;
}

describe('DurationStatistics', () => {
  it('is all zero when empty, and again after reset', () => {
    const empty = new DurationStatistics().snapshot();
    expect(empty).toMatchObject({ count: 0, meanMs: 0, stddevMs: 0, minMs: 0, maxMs: 0, p50Ms: 0, p99Ms: 0 });
    expect(empty.buckets).toHaveLength(DURATION_BUCKETS_MS.length + 1);
    const used = statisticsOf([5, 70, 1e9]);
    used.reset();
    expect(used.snapshot()).toEqual(empty);
  });

  it('gives mean, sample deviation and extremes', () => {
    const statistics = statisticsOf([2, 4, 4, 4, 5, 5, 7, 9]);
    expect(statistics.meanMs).toBe(5);
    expect(statistics.stddevMs).toBeCloseTo(Math.sqrt(32 / 7), 12);
    expect([statistics.count, statistics.minMs, statistics.maxMs]).toEqual([8, 2, 9]);
    expect(statisticsOf([3]).stddevMs).toBe(0);
  });

  it('agrees with the textbook formulas', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e5, noNaN: true }), { minLength: 2 }), (values) => {
        const summary = statisticsOf(values).snapshot();
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
        expect(summary.meanMs).toBeCloseTo(mean, 6);
        expect(summary.stddevMs).toBeCloseTo(Math.sqrt(variance), 5);
        expect(summary.buckets.reduce((sum, { count }) => sum + count, 0)).toBe(values.length);
        expect(summary.p50Ms).toBeGreaterThanOrEqual(summary.minMs);
        expect(summary.p99Ms).toBeGreaterThanOrEqual(summary.p50Ms);
        expect(summary.maxMs).toBeGreaterThanOrEqual(summary.p99Ms);
      }),
    );
  });

  it('keeps its precision over a million equal durations far from zero', () => {
    const statistics = new DurationStatistics();
    for (let index = 0; index < 1_000_000; index++) statistics.record(50_000 + (index % 2) * 0.001);
    expect(statistics.meanMs).toBeCloseTo(50_000.0005, 6);
    expect(statistics.stddevMs).toBeCloseTo(0.0005, 6);
  });

  it('puts a duration in the first bucket whose limit it does not exceed', () => {
    const { buckets } = statisticsOf([0, 1, 1.001, 2, 3, 1e9], [1, 2]).snapshot();
    expect(buckets).toEqual([
      { upToMs: 1, count: 2 },
      { upToMs: 2, count: 2 },
      { upToMs: Number.POSITIVE_INFINITY, count: 2 },
    ]);
  });

  it('counts negative durations and what is no number as 0', () => {
    expect(statisticsOf([-5, Number.NaN]).snapshot()).toMatchObject({
      count: 2,
      meanMs: 0,
      minMs: 0,
      maxMs: 0,
    });
  });

  it('gives percentiles exact to the width of a bucket', () => {
    const even = Array.from({ length: 1000 }, (_, index) => (index + 1) / 10);
    const statistics = statisticsOf(even);
    expect(statistics.percentileMs(0.5)).toBeCloseTo(50, 0);
    expect(statistics.percentileMs(0.99)).toBeCloseTo(99, 0);
    expect(statistics.percentileMs(0)).toBe(statistics.minMs);
    expect(statistics.percentileMs(1)).toBe(100);
    expect(statistics.percentileMs(7)).toBe(100);
    expect(statisticsOf([10, 10, 10]).percentileMs(0.5)).toBe(10);
    expect(statisticsOf([90_000, 100_000]).percentileMs(0.99)).toBeLessThanOrEqual(100_000);
    expect(new DurationStatistics().percentileMs(0.5)).toBe(0);
  });
});
