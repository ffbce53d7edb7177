// Whose silence is it? Stops of our own, full buffers and a missing carrier must not look like the peer's death.
import { SeededRandom, randomBelow, randomFraction } from '@rfsis/link';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FixedTimeoutDetector, PhiAccrualDetector, type FailureDetector } from '../src/index.js';
import { Liveness, type LivenessOptions, type Silence } from '../src/liveness.js';
import { INTERVAL_MS, Segment, TIMEOUT_MS } from './fixtures.js';
import type { ThawOrder } from './host.js';

const ORDERS: readonly ThawOrder[] = ['timers-first', 'frames-first'];
const GRACE_MS = 2 * INTERVAL_MS;
const detectors: readonly (readonly [string, () => FailureDetector])[] = [
  ['fixed timeout', () => new FixedTimeoutDetector(TIMEOUT_MS)],
  ['phi accrual', () => new PhiAccrualDetector({ intervalMs: INTERVAL_MS, maxTimeoutMs: 60 })],
];

describe.each(detectors)('with %s', (_name, makeDetector) => {
  describe.each(ORDERS)('this node is stopped and goes on with its %s', (order) => {
    it('while the peer lives: no death, and the stop is not taken for jitter of the peer', () => {
      const segment = new Segment({ detector: makeDetector() });
      segment.beatFor(200);
      segment.host.freeze();
      segment.beatFor(2000);
      segment.host.thaw(order);
      segment.beatFor(500);
      expect(segment.deaths()).toEqual([]);
      const statistics = segment.monitor.statistics();
      expect(statistics.stalls).toBe(1);
      expect(statistics.longestStallMs).toBeGreaterThan(1900);
      expect(statistics.excluded).toBeGreaterThan(200);
      expect(statistics.intervals.maxMs).toBeLessThanOrEqual(20);
      expect(statistics.marginMs).toBeGreaterThan(0);
      expect(statistics.counters.accepted).toBe(segment.sequence);
    });

    it('while the peer dies: death comes after the wake-up, a full timeout after its last beats were read', () => {
      const segment = new Segment({ detector: makeDetector() });
      segment.beatFor(200);
      segment.host.freeze();
      segment.beatFor(100);
      segment.time.advance(900);
      segment.host.thaw(order);
      const wokenMs = segment.time.now();
      expect(segment.deaths()).toEqual([]);
      segment.time.advance(19);
      expect(segment.deaths()).toEqual([]);
      segment.time.advance(41);
      expect(segment.deaths()).toHaveLength(1);
      expect(segment.deaths()[0]?.death.lastBeatAtMs).toBe(wokenMs);
    });

    it('and its receive buffer was lost: the peer gets a grace from the wake-up on', () => {
      const segment = new Segment({ detector: makeDetector() });
      segment.beatFor(200);
      segment.host.freeze();
      segment.time.advance(1000);
      segment.host.thaw(order);
      segment.time.advance(INTERVAL_MS);
      expect(segment.deaths()).toEqual([]);
      segment.sequence += 100;
      segment.beatFor(100);
      expect(segment.deaths()).toEqual([]);
      expect(segment.monitor.statistics().stalls).toBe(1);
    });

    it('and the peer is silent ever since: it is dead when the grace is over', () => {
      const segment = new Segment({ detector: makeDetector() });
      segment.beatFor(200);
      segment.host.freeze();
      segment.time.advance(1000);
      segment.host.thaw(order);
      segment.time.advance(GRACE_MS - 0.01);
      expect(segment.deaths()).toEqual([]);
      segment.time.advance(0.01);
      expect(segment.deaths()).toMatchObject([{ atMs: 1200 + GRACE_MS, death: { lastBeatAtMs: 200 } }]);
    });

    it('for less than the limit, with beats in the buffer: they are read before the decision', () => {
      const segment = new Segment({ detector: makeDetector() });
      segment.beatFor(200);
      segment.time.advance(9);
      segment.host.freeze();
      segment.time.advance(1);
      segment.beatFor(20);
      segment.time.advance(4);
      segment.host.thaw(order);
      segment.time.advance(1);
      expect(segment.deaths()).toEqual([]);
      segment.beatFor(100);
      expect(segment.deaths()).toEqual([]);
    });
  });

  it('property: as long as the peer beats, no stops of ours, in whatever rhythm, make it dead', () => {
    const stop = fc.record({
      afterMs: fc.double({ min: 0, max: 80, noNaN: true }),
      forMs: fc.oneof(
        fc.double({ min: 0, max: 60, noNaN: true }),
        fc.double({ min: 0, max: 2000, noNaN: true }),
      ),
      order: fc.constantFrom(...ORDERS),
    });
    fc.assert(
      fc.property(fc.array(stop, { minLength: 1, maxLength: 10 }), (stops) => {
        const segment = new Segment({ detector: makeDetector() });
        const beat = (): void => {
          segment.peerPort.send(segment.frame());
          segment.time.setTimer(INTERVAL_MS, beat);
        };
        beat();
        for (const { afterMs, forMs, order } of stops) {
          segment.time.advance(afterMs);
          segment.host.freeze();
          segment.time.advance(forMs);
          segment.host.thaw(order);
        }
        segment.time.advance(200);
        expect(segment.deaths()).toEqual([]);
        expect(segment.monitor.state).toBe('alive');
      }),
      { numRuns: 150 },
    );
  });

  it('property: a peer that dies is found dead, at most a timeout and a grace after we last woke or heard it', () => {
    const stop = fc.record({ afterMs: fc.nat(80), forMs: fc.nat(300), order: fc.constantFrom(...ORDERS) });
    fc.assert(
      fc.property(fc.nat(300), fc.array(stop, { maxLength: 4 }), (livesMs, stops) => {
        const segment = new Segment({ detector: makeDetector() });
        const beat = (): void => {
          if (segment.time.now() > livesMs) return;
          segment.peerPort.send(segment.frame());
          segment.time.setTimer(INTERVAL_MS, beat);
        };
        beat();
        for (const { afterMs, forMs, order } of stops) {
          segment.time.advance(afterMs);
          segment.host.freeze();
          segment.time.advance(forMs);
          segment.host.thaw(order);
        }
        const rest = Math.max(0, livesMs - segment.time.now());
        segment.time.advance(rest + 60 + GRACE_MS);
        expect(segment.deaths()).toHaveLength(1);
        expect(segment.deaths()[0]?.atMs).toBeGreaterThan(livesMs - INTERVAL_MS);
      }),
      { numRuns: 150 },
    );
  });

  it('stands jitter and two lost beats in a row', () => {
    const random = new SeededRandom(42);
    const segment = new Segment({ detector: makeDetector() });
    let lostInARow = 0;
    for (let tick = 1; tick < 5000; tick++) {
      const jitterMs = randomFraction(random) * 2;
      segment.time.advance(tick * INTERVAL_MS + jitterMs - segment.time.now());
      const frame = segment.frame();
      if (lostInARow < 1 && randomBelow(random, 5) === 0) {
        lostInARow++;
        continue;
      }
      lostInARow = 0;
      segment.send(frame);
    }
    expect(segment.deaths()).toEqual([]);
    const { intervals, lost } = segment.monitor.statistics();
    expect(lost).toBeGreaterThan(500);
    expect(intervals.maxMs).toBeGreaterThan(20);
    expect(intervals.maxMs).toBeLessThan(23);
  });
});

describe('the carrier', () => {
  it('silence without one is not the peer`s; the decision waits, and a living peer is heard when it is back', () => {
    const segment = new Segment();
    segment.beatFor(100);
    segment.hostPort.unplug();
    segment.beatFor(1000);
    expect(segment.deaths()).toEqual([]);
    expect(segment.monitor.statistics().held).toBe(1);
    segment.hostPort.plug();
    segment.beatFor(100);
    expect(segment.deaths()).toEqual([]);
    expect(segment.monitor.state).toBe('alive');
  });

  it('a peer that stays silent after its return is dead a grace later', () => {
    const segment = new Segment();
    segment.beatFor(100);
    segment.hostPort.unplug();
    segment.time.advance(1000);
    segment.hostPort.plug();
    segment.time.advance(GRACE_MS);
    expect(segment.deaths()).toMatchObject([{ atMs: 1100 + GRACE_MS, death: { silentMs: 1000 + GRACE_MS } }]);
  });

  it('coming and going of it means nothing for a peer that is not alive', () => {
    const segment = new Segment();
    segment.hostPort.unplug();
    segment.hostPort.plug();
    expect(segment.time.pending).toBe(0);
    expect(segment.monitor.state).toBe('unknown');
  });
});

describe('Liveness', () => {
  function make(options: Partial<LivenessOptions> = {}) {
    const segment = new Segment();
    const silences: { readonly atMs: number; readonly silence: Silence }[] = [];
    const liveness = new Liveness({
      clock: segment.time,
      detector: new FixedTimeoutDetector(TIMEOUT_MS),
      stallLimitMs: 10,
      graceMs: GRACE_MS,
      carrier: () => true,
      activity: () => 0,
      onSilence: (silence) => silences.push({ atMs: segment.time.now(), silence }),
      ...options,
    });
    return { liveness, silences, time: segment.time };
  }

  /** A clock whose loop turns take time. */
  function slowTurns(time: Segment['time'], turnMs: number) {
    return {
      now: () => time.now(),
      wallTime: () => time.wallTime(),
      setTimer: (delayMs: number, callback: () => void) => time.setTimer(delayMs, callback),
      defer: (callback: () => void) => time.setTimer(turnMs, callback),
    };
  }

  it('says when, how long and what the deadline was', () => {
    const { liveness, silences, time } = make();
    time.advance(5);
    liveness.revive(5);
    time.advance(100);
    expect(silences).toEqual([{ atMs: 35, silence: { silentMs: 30, lastBeatAtMs: 5, deadlineMs: 35 } }]);
  });

  it('notices the loss of the carrier`s return by itself', () => {
    let carrier = false;
    const { liveness, silences, time } = make({ carrier: () => carrier });
    liveness.revive(0);
    time.advance(500);
    expect(silences).toEqual([]);
    carrier = true;
    time.advance(3 * GRACE_MS);
    expect(silences).toHaveLength(1);
    expect(silences[0]?.atMs).toBeGreaterThanOrEqual(500 + GRACE_MS);
    expect(liveness.statistics.snapshot().held).toBe(1);
  });

  it('lets the buffer drain over several turns while frames keep coming, and no longer than three', () => {
    const base = make();
    let frames = 0;
    const { liveness, silences } = make({ clock: slowTurns(base.time, 1), activity: () => frames });
    const flood = (): void => {
      frames++;
      base.time.setTimer(0.5, flood);
    };
    flood();
    liveness.revive(0);
    base.time.advance(100);
    expect(silences).toHaveLength(1);
    expect(silences[0]?.silence.silentMs).toBe(33);
  });

  it('believes a beat that is read in the second turn', () => {
    const base = make();
    let frames = 0;
    const { liveness, silences } = make({ clock: slowTurns(base.time, 1), activity: () => frames });
    liveness.revive(0);
    base.time.setTimer(30.5, () => frames++);
    base.time.setTimer(31.5, () => {
      liveness.heard(31.5);
    });
    base.time.advance(61);
    expect(silences).toEqual([]);
    base.time.advance(2);
    expect(silences).toHaveLength(1);
  });

  it('takes a stop between timer and decision for what it is', () => {
    const base = make();
    const { liveness, silences } = make({ clock: slowTurns(base.time, 50) });
    liveness.revive(0);
    base.time.advance(81);
    // Timer at 30, its turn ends at 80: 50 late. Grace until 100, then another slow turn.
    expect(silences).toEqual([]);
    expect(liveness.statistics.snapshot()).toMatchObject({ stalls: 1, longestStallMs: 50 });
    expect(liveness.deadlineMs).toBe(100);
  });

  it('waits in steps for a deadline that lies very far ahead', () => {
    const { liveness, silences, time } = make({ detector: new FixedTimeoutDetector(1e7) });
    liveness.revive(0);
    expect(time.nextDueMs).toBe(1e6);
    time.advance(1e7 - 1);
    expect(silences).toEqual([]);
    time.advance(1);
    expect(silences).toHaveLength(1);
  });

  it('uses one timer, and sets it once per timeout, not once per beat', () => {
    const base = make();
    let set = 0;
    const clock = {
      ...slowTurns(base.time, 0),
      setTimer: (delayMs: number, callback: () => void) => {
        set++;
        return base.time.setTimer(delayMs, callback);
      },
    };
    const { liveness } = make({ clock });
    liveness.revive(0);
    for (let beat = 1; beat <= 300; beat++) {
      base.time.advance(10);
      liveness.heard(base.time.now());
      expect(base.time.pending).toBe(1);
    }
    expect(set).toBeLessThan(155);
    liveness.close();
    expect(base.time.pending).toBe(0);
    liveness.revive(4000);
    expect(base.time.pending).toBe(0);
  });

  it('gives no second grace to a peer that was heard again after the carrier had gone', () => {
    let carrier = false;
    const { liveness, silences, time } = make({ carrier: () => carrier });
    liveness.revive(0);
    time.advance(60);
    carrier = true;
    liveness.heard(60);
    time.advance(100);
    expect(silences.map(({ atMs }) => atMs)).toEqual([90]);
  });
});
