import { SeededRandom, randomFraction } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { PhiAccrualDetector, SnifferError, type PhiAccrualOptions } from '../src/index.js';
import { describeFailureDetector } from './detector-compliance.js';

describeFailureDetector('PhiAccrualDetector', 10, 100, () => new PhiAccrualDetector({ intervalMs: 10 }));

const LOOSE = { minTimeoutMs: 0.001, maxTimeoutMs: 1e6 };

/** A standard normal number (Box and Muller). */
function normal(random: SeededRandom): number {
  const radius = Math.sqrt(-2 * Math.log(1 - randomFraction(random)));
  return radius * Math.cos(2 * Math.PI * randomFraction(random));
}

function fed(options: PhiAccrualOptions, intervals: readonly number[]): PhiAccrualDetector {
  const detector = new PhiAccrualDetector(options);
  let now = 0;
  detector.reset(now);
  for (const interval of intervals) detector.heard((now += interval));
  return detector;
}

describe('PhiAccrualDetector', () => {
  it('gives up when phi reaches the threshold, neither sooner nor later', () => {
    const detector = fed({ intervalMs: 10, threshold: 5, ...LOOSE }, [9, 11, 10, 12, 8, 10, 9.5]);
    expect(detector.phi(detector.deadline())).toBeCloseTo(5, 6);
    expect(detector.phi(detector.deadline() - 0.1)).toBeLessThan(5);
    expect(detector.phi(detector.deadline() + 0.1)).toBeGreaterThan(5);
  });

  it('is at 0.3 (one half) when the mean interval has passed, and 0 before the peer was heard', () => {
    const detector = new PhiAccrualDetector({ intervalMs: 10 });
    expect(detector.phi(1e9)).toBe(0);
    detector.reset(0);
    expect(detector.phi(10)).toBeCloseTo(Math.log10(2), 9);
    expect(detector.phi(-1)).toBe(0);
  });

  it('starts with the expected interval and a deviation of a quarter', () => {
    const detector = new PhiAccrualDetector({ intervalMs: 10, ...LOOSE });
    expect(detector.meanMs).toBe(10);
    expect(detector.stddevMs).toBe(2.5);
    detector.reset(0);
    expect(detector.deadline()).toBeCloseTo(10 + 5.612001244174789 * 2.5, 6);
  });

  it('becomes more patient with a jittery peer, and less with a regular one', () => {
    const random = new SeededRandom(3);
    const options = { intervalMs: 10, ...LOOSE };
    const regular = fed(
      options,
      Array.from({ length: 300 }, () => 10 + 0.01 * normal(random)),
    );
    const jittery = fed(
      options,
      Array.from({ length: 300 }, () => Math.max(0, 10 + 3 * normal(random))),
    );
    expect(regular.stddevMs).toBe(1);
    expect(jittery.stddevMs).toBeGreaterThan(2);
  });

  it('remembers a window: what lies further back is forgotten', () => {
    const options = { intervalMs: 10, windowSize: 50, ...LOOSE };
    const detector = fed(options, [
      ...Array.from({ length: 1000 }, () => 500),
      ...Array.from({ length: 50 }, () => 10),
    ]);
    expect(detector.meanMs).toBeCloseTo(10, 9);
    expect(detector.stddevMs).toBe(1);
  });

  it('rounding errors do not build up: after wild times it is as exact as before', () => {
    const random = new SeededRandom(11);
    const wild = Array.from({ length: 100_000 }, () => 1e6 * randomFraction(random));
    const steady = Array.from({ length: 200 }, () => 10);
    const options = { intervalMs: 10, windowSize: 100, ...LOOSE, minStdDeviationMs: 1e-9 };
    const detector = new PhiAccrualDetector(options);
    for (const interval of [...wild, ...steady]) {
      // From zero each time, so that the differences are exact.
      detector.resume(0);
      detector.heard(interval);
    }
    expect(detector.meanMs).toBeCloseTo(10, 9);
    expect(detector.stddevMs).toBeCloseTo(0, 6);
  });

  it('keeps within its limits and forgives the acceptable pause', () => {
    const steady = Array.from({ length: 200 }, () => 10);
    const ahead = (options: Partial<PhiAccrualOptions>) =>
      fed({ intervalMs: 10, ...options }, steady).deadline() - 2000;
    expect(ahead({})).toBe(25);
    expect(ahead({ minTimeoutMs: 40 })).toBe(40);
    expect(ahead(LOOSE)).toBeCloseTo(10 + 5.612, 2);
    expect(ahead({ ...LOOSE, acceptablePauseMs: 30 })).toBeCloseTo(40 + 5.612, 2);
    expect(ahead({ acceptablePauseMs: 5000 })).toBe(100);
    expect(ahead({ ...LOOSE, minStdDeviationMs: 4 })).toBeCloseTo(10 + 4 * 5.612, 2);
  });

  it('is not spoilt by one long pause', () => {
    const detector = fed({ intervalMs: 10 }, [...Array.from({ length: 100 }, () => 10), 1e9]);
    expect(detector.meanMs).toBeLessThan(12);
  });

  it('raises about as many false alarms as the threshold says, when intervals are normal', () => {
    const random = new SeededRandom(5);
    const detector = new PhiAccrualDetector({ intervalMs: 10, threshold: 2, windowSize: 1000, ...LOOSE });
    let now = 0;
    let alarms = 0;
    detector.reset(now);
    for (let beat = 0; beat < 100_000; beat++) {
      now += Math.max(0, 10 + 2 * normal(random));
      if (now > detector.deadline()) alarms++;
      detector.heard(now);
    }
    // Phi 2: one in a hundred.
    expect(alarms / 100_000).toBeGreaterThan(0.008);
    expect(alarms / 100_000).toBeLessThan(0.012);
  });

  it('refuses options that make no sense', () => {
    const bad: Partial<PhiAccrualOptions>[] = [
      { intervalMs: 0 },
      { intervalMs: Number.NaN },
      { threshold: 0 },
      { threshold: -1 },
      { windowSize: 1 },
      { windowSize: 2.5 },
      { windowSize: 10_001 },
      { acceptablePauseMs: -1 },
      { minStdDeviationMs: 0 },
      { minTimeoutMs: 0 },
      { maxTimeoutMs: 24 },
    ];
    for (const options of bad) {
      expect(() => new PhiAccrualDetector({ intervalMs: 10, ...options }), JSON.stringify(options)).toThrow(
        SnifferError,
      );
    }
    expect(() => new PhiAccrualDetector({ intervalMs: 10, maxTimeoutMs: 24 })).toThrow(
      'maxTimeoutMs is 24: expected a number of at least 25',
    );
  });
});
