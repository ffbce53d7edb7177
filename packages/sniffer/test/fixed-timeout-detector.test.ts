import { describe, expect, it } from 'vitest';
import { FixedTimeoutDetector, SnifferError } from '../src/index.js';
import { describeFailureDetector } from './detector-compliance.js';

describeFailureDetector('FixedTimeoutDetector', 10, 30, () => new FixedTimeoutDetector(30));

describe('FixedTimeoutDetector', () => {
  it('gives up exactly timeoutMs after the last beat', () => {
    const detector = new FixedTimeoutDetector(30);
    detector.heard(100);
    expect(detector.deadline()).toBe(130);
    detector.heard(119.5);
    expect(detector.deadline()).toBe(149.5);
  });

  it('refuses a timeout that is none', () => {
    for (const timeoutMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => new FixedTimeoutDetector(timeoutMs)).toThrow(SnifferError);
    }
    expect(() => new FixedTimeoutDetector(0)).toThrow('timeoutMs is 0: expected a number above 0');
  });
});
