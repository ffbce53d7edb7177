import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../src/index.js';
import { clockCompliance } from '../src/compliance.js';

describe('compliance', () => {
  it.each(clockCompliance())('$name', async ({ run }) => {
    const clock = new VirtualClock();
    await run({ clock, until: (condition) => clock.advanceUntil(condition, 2000) });
  });
});

describe('VirtualClock', () => {
  it('stands still until it is moved', () => {
    const clock = new VirtualClock(1_700_000_000_000);
    let calls = 0;
    clock.setTimer(0, () => calls++);
    expect([clock.now(), clock.wallTime(), calls]).toEqual([0, 1_700_000_000_000, 0]);
    clock.advance(0);
    expect(calls).toBe(1);
    clock.advance(2.5);
    expect([clock.now(), clock.wallTime()]).toEqual([2.5, 1_700_000_000_002.5]);
  });

  it('shows each callback the time at which it was due', () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    for (const delayMs of [5, 1, 3]) clock.setTimer(delayMs, () => seen.push(clock.now()));
    clock.advance(10);
    expect(seen).toEqual([1, 3, 5]);
    expect(clock.now()).toBe(10);
  });

  it('runs what is due at one instant in the order of its creation, deferred calls included', () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    clock.setTimer(1, () => {
      order.push('first');
      clock.defer(() => order.push('deferred'));
      clock.setTimer(0, () => order.push('zero'));
      clock.setTimer(0.1, () => order.push('next'));
    });
    clock.setTimer(1, () => order.push('second'));
    clock.advance(1.1);
    expect(order).toEqual(['first', 'second', 'deferred', 'zero', 'next']);
  });

  it('runs what falls due in the time advanced, and leaves the rest', () => {
    const clock = new VirtualClock();
    let calls = 0;
    const beat = (): void => {
      calls++;
      clock.setTimer(10, beat);
    };
    clock.setTimer(10, beat);
    clock.advance(35);
    expect([calls, clock.pending, clock.nextDueMs]).toEqual([3, 1, 40]);
  });

  it('moves on for a delay that is lost in rounding', () => {
    const clock = new VirtualClock();
    clock.advance(1920.2);
    const before = clock.now();
    let after = before;
    clock.setTimer(1e-13, () => {
      after = clock.now();
    });
    clock.advance(1);
    expect(after).toBeGreaterThan(before);
  });

  it('orders any timers, with any of them cancelled', () => {
    const timers = fc.array(fc.record({ delayMs: fc.nat(50), cancel: fc.boolean() }), { maxLength: 400 });
    fc.assert(
      fc.property(timers, (specs) => {
        const clock = new VirtualClock();
        const ran: number[] = [];
        const handles = specs.map(({ delayMs }, index) => clock.setTimer(delayMs, () => ran.push(index)));
        specs.forEach(({ cancel }, index) => {
          if (cancel) handles[index]?.cancel();
        });
        const live = specs.map((spec, index) => ({ ...spec, index })).filter(({ cancel }) => !cancel);
        expect(clock.pending).toBe(live.length);
        clock.advance(50);
        expect(ran).toEqual(
          live.sort((a, b) => a.delayMs - b.delayMs || a.index - b.index).map(({ index }) => index),
        );
        expect(clock.pending).toBe(0);
      }),
    );
  });

  it('counts no cancelled timer as pending, however often it is cancelled', () => {
    const clock = new VirtualClock();
    const [first, second] = [clock.setTimer(1, () => undefined), clock.setTimer(2, () => undefined)];
    first.cancel();
    first.cancel();
    expect([clock.pending, clock.nextDueMs]).toEqual([1, 2]);
    clock.advance(5);
    second.cancel();
    expect([clock.pending, clock.nextDueMs]).toEqual([0, undefined]);
  });

  it('keeps no memory of timers that are set anew again and again', () => {
    const clock = new VirtualClock();
    let fired = 0;
    let timer = clock.setTimer(7_200_000, () => fired++);
    const before = process.memoryUsage().heapUsed;
    for (let round = 0; round < 300_000; round++) {
      timer.cancel();
      timer = clock.setTimer(7_200_000, () => fired++);
    }
    expect(clock.pending).toBe(1);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
    clock.advance(7_200_000);
    expect(fired).toBe(1);
  });

  it('lets promises and streams settle between callbacks', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    clock.setTimer(1, () => {
      void Promise.resolve()
        .then(() => order.push('promise'))
        .then(() => order.push('chained'));
      process.nextTick(() => order.push('tick'));
      order.push('first');
    });
    clock.setTimer(1, () => order.push('second'));
    await clock.advanceAsync(1);
    expect(order).toEqual(['first', 'tick', 'promise', 'chained', 'second']);
    expect(clock.now()).toBe(1);
  });

  it('advances until a condition holds, and no further', async () => {
    const clock = new VirtualClock();
    let calls = 0;
    for (const delayMs of [1, 2, 3]) clock.setTimer(delayMs, () => calls++);
    expect(await clock.advanceUntil(() => calls === 2, 100)).toBe(true);
    expect(clock.now()).toBe(2);
    expect(await clock.advanceUntil(() => calls === 9, 100)).toBe(false);
    expect(clock.now()).toBe(102);
    expect(await clock.advanceUntil(() => true, 0)).toBe(true);
  });

  it('passes on what a callback or a condition throws', async () => {
    const clock = new VirtualClock();
    const broken = (): never => {
      throw new Error('broken');
    };
    clock.setTimer(1, broken);
    await expect(clock.advanceAsync(5)).rejects.toThrow('broken');
    await expect(clock.advanceUntil(broken, 5)).rejects.toThrow('broken');
    clock.setTimer(1, broken);
    expect(() => {
      clock.advance(1);
    }).toThrow('broken');
  });

  it('refuses times that are none', async () => {
    const clock = new VirtualClock();
    expect(() => clock.setTimer(Number.NaN, () => undefined)).toThrow(RangeError);
    for (const durationMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => {
        clock.advance(durationMs);
      }).toThrow(RangeError);
      await expect(clock.advanceAsync(durationMs)).rejects.toThrow(RangeError);
    }
    expect(clock.now()).toBe(0);
  });
});
