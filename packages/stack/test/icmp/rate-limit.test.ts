import { SeededRandom, VirtualClock } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { ErrorRateLimit } from '../../src/icmp/rate-limit.js';

function limit(all: number, each: number) {
  const clock = new VirtualClock();
  const rate = new ErrorRateLimit(clock, new SeededRandom(1), {
    icmpErrorsPerSecond: all,
    icmpErrorsPerSecondEach: each,
  });
  const burst = (receivers: (index: number) => number, tries = 1000): number => {
    let allowed = 0;
    for (let index = 0; index < tries; index++) if (rate.allow(receivers(index))) allowed++;
    return allowed;
  };
  return { clock, rate, burst };
}

describe('ErrorRateLimit', () => {
  it('RFC 1812 4.3.2.8: gives one receiver a few at once, then its rate', () => {
    const { clock, burst } = limit(1000, 50);
    expect(burst(() => 1)).toBe(10);
    clock.advance(100);
    expect(burst(() => 1)).toBe(5);
    clock.advance(60_000);
    expect(burst(() => 1)).toBe(10);
  });

  it('gives all together a few at once, then their rate', () => {
    const { clock, burst } = limit(1000, 50);
    const first = burst((index) => index);
    expect(first).toBeGreaterThanOrEqual(47);
    expect(first).toBeLessThanOrEqual(50);
    let later = 0;
    for (let step = 0; step < 100; step++) {
      clock.advance(10);
      later += burst((index) => step * 1000 + index);
    }
    expect(later).toBeGreaterThan(990);
    expect(later).toBeLessThanOrEqual(1003);
  });

  it('does not let one receiver take what is for others', () => {
    const { burst } = limit(1000, 50);
    burst(() => 1);
    expect(burst((index) => index, 100)).toBeGreaterThan(30);
  });

  it('is never closed for ever, however small the rates', () => {
    const { clock, burst } = limit(1, 1);
    expect(burst(() => 1)).toBe(1);
    clock.advance(20_000);
    expect(burst((index) => index)).toBe(1);
  });
});
