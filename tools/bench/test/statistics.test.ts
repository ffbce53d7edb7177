import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rounded, summarise } from '../src/statistics.js';

describe('summarise', () => {
  it('finds nothing in nothing', () => {
    expect(summarise([])).toBeNull();
  });

  it.each([
    [[7], { count: 1, min: 7, median: 7, p90: 7, max: 7 }],
    [[3, 1], { count: 2, min: 1, median: 2, p90: 3, max: 3 }],
    [[9, 1, 5], { count: 3, min: 1, median: 5, p90: 9, max: 9 }],
    [[10, 2, 8, 4, 6, 1, 9, 3, 7, 5], { count: 10, min: 1, median: 5.5, p90: 9, max: 10 }],
    [
      Array.from({ length: 20 }, (_, index) => index + 1),
      { count: 20, min: 1, median: 10.5, p90: 18, max: 20 },
    ],
  ])('of %j', (values, summary) => {
    expect(summarise(values)).toEqual(summary);
  });

  it('is in order, within the values, and leaves them alone', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1 }), (values) => {
        const copy = [...values];
        const summary = summarise(values);
        expect(values).toEqual(copy);
        if (summary === null) throw new Error('expected a summary');
        const { min, median, p90, max } = summary;
        expect([min, median, max]).toEqual([min, median, max].sort((a, b) => a - b));
        expect(values).toContain(p90);
        expect(values.filter((value) => value <= p90).length).toBeGreaterThanOrEqual(0.9 * values.length);
      }),
    );
  });
});

it('rounded', () => {
  expect([rounded(1.005), rounded(-2.346), rounded(3)]).toEqual([1, -2.35, 3]);
});
