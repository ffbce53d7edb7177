import { afterEach, describe, expect, it, vi } from 'vitest';
import { SystemClock } from '../src/index.js';
import { clockCompliance } from '../src/compliance.js';
import { realTime } from './real-time.js';

describe('compliance', () => {
  it.each(clockCompliance())('$name', async ({ run }) => {
    const clock = new SystemClock();
    await run({ clock, until: realTime(clock) });
  });
});

describe('wallTime', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('agrees with Date.now() to the millisecond and adds fractions', () => {
    const clock = new SystemClock();
    const seen = new Set<number>();
    for (let round = 0; round < 2000; round++) {
      const before = Date.now();
      const wallMs = clock.wallTime();
      expect(wallMs).toBeGreaterThanOrEqual(before);
      expect(wallMs).toBeLessThan(Date.now() + 1);
      seen.add(wallMs % 1);
    }
    expect(seen.size).toBeGreaterThan(100);
  });

  it('follows a step of the system clock, and does not go back without one', () => {
    const clock = new SystemClock();
    let [dateMs, monotonicMs] = [1_000_000, 50];
    vi.spyOn(Date, 'now').mockImplementation(() => dateMs);
    vi.spyOn(performance, 'now').mockImplementation(() => monotonicMs);
    expect(clock.wallTime()).toBe(1_000_000);
    monotonicMs += 0.25;
    expect(clock.wallTime()).toBe(1_000_000.25);
    // The monotonic clock runs a little ahead of the system clock that is being slowed down.
    monotonicMs += 0.8;
    expect(clock.wallTime()).toBe(1_000_000.999);
    dateMs += 1;
    monotonicMs += 0.2;
    expect(clock.wallTime()).toBeCloseTo(1_000_001.199, 6);
    dateMs += 3_600_000;
    expect(clock.wallTime()).toBe(4_600_001);
    dateMs -= 7_200_000;
    expect(clock.wallTime()).toBe(-2_599_998.001);
  });
});

describe('setTimer', () => {
  it('is never early while other work wakes the event loop', async () => {
    const clock = new SystemClock();
    let busy = true;
    const spin = (): void => {
      if (busy) setImmediate(spin);
    };
    spin();
    const earliness: number[] = [];
    await new Promise<void>((resolve) => {
      for (let index = 0; index < 60; index++) {
        const delayMs = 1 + index * 0.37;
        const dueMs = clock.now() + delayMs;
        clock.setTimer(delayMs, () => {
          earliness.push(dueMs - clock.now());
          if (earliness.length === 60) resolve();
        });
      }
    });
    busy = false;
    expect(Math.max(...earliness)).toBeLessThanOrEqual(0);
  });
});
