// The cases that every FailureDetector passes. Call it from the test file of an implementation.
import { SeededRandom, randomFraction } from '@rfsis/link';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailureDetector } from '../src/index.js';

/**
 * @param make a detector for a peer that beats every `intervalMs`, tolerating one lost beat
 * @param longestMs the longest silence it may ever forgive
 */
export function describeFailureDetector(
  name: string,
  intervalMs: number,
  longestMs: number,
  make: () => FailureDetector,
): void {
  describe(`${name} as a FailureDetector`, () => {
    it('waits for ever before it has heard anything', () => {
      expect(make().deadline()).toBe(Number.POSITIVE_INFINITY);
    });

    it.each(['heard', 'resume', 'reset'] as const)(
      'has a deadline ahead, within its limit, after %s',
      (method) => {
        const detector = make();
        detector[method](1000);
        expect(detector.deadline()).toBeGreaterThan(1000 + 2 * intervalMs);
        expect(detector.deadline()).toBeLessThanOrEqual(1000 + longestMs);
      },
    );

    it('gives the same deadline however often it is asked', () => {
      const detector = make();
      detector.heard(5);
      detector.heard(5 + intervalMs);
      const deadline = detector.deadline();
      for (let round = 0; round < 10; round++) expect(detector.deadline()).toBe(deadline);
    });

    it('never gives up a peer that beats on time, nor one that loses every second beat', () => {
      for (const step of [intervalMs, 2 * intervalMs]) {
        const detector = make();
        detector.reset(0);
        for (let now = step; now < 1000 * intervalMs; now += step) {
          expect(detector.deadline(), `at ${now}`).toBeGreaterThan(now);
          detector.heard(now);
        }
      }
    });

    it('notices silence soon, also after a long life', () => {
      const detector = make();
      detector.reset(0);
      for (let beat = 1; beat <= 100_000; beat++) detector.heard(beat * intervalMs);
      const last = 100_000 * intervalMs;
      expect(detector.deadline()).toBeGreaterThan(last + intervalMs);
      expect(detector.deadline()).toBeLessThanOrEqual(last + longestMs);
    });

    it('property: whatever comes, the deadline lies ahead of the last beat by a bounded time', () => {
      const anyEvent = fc.record({
        method: fc.constantFrom('heard', 'heard', 'heard', 'resume', 'reset'),
        afterMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e6, noNaN: true }), fc.nat(30)),
      });
      fc.assert(
        fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 300 }), (events) => {
          const detector = make();
          let now = 0;
          for (const { method, afterMs } of events) {
            now += afterMs;
            detector[method](now);
            const aheadMs = detector.deadline() - now;
            expect(aheadMs).toBeGreaterThan(0);
            expect(aheadMs).toBeLessThanOrEqual(longestMs + 1e-6);
          }
        }),
      );
    });

    it('does not learn from an interval that was not the peer`s fault', () => {
      const undisturbed = make();
      const heldUp = make();
      for (const detector of [undisturbed, heldUp]) {
        detector.reset(0);
        for (let beat = 1; beat <= 50; beat++) detector.heard(beat * intervalMs);
      }
      const now = 51 * intervalMs;
      undisturbed.resume(now);
      heldUp.resume(now + 50_000);
      expect(heldUp.deadline() - 50_000).toBeCloseTo(undisturbed.deadline(), 6);
    });

    it('starts anew after reset, whatever it had learned', () => {
      const fresh = make();
      fresh.reset(70_000);
      const used = make();
      const random = new SeededRandom(7);
      let now = 0;
      for (let beat = 0; beat < 500; beat++) used.heard((now += randomFraction(random) * 5 * intervalMs));
      used.reset(70_000);
      expect(used.deadline()).toBe(fresh.deadline());
    });
  });
}
