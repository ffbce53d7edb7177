import { FixedTimeoutDetector } from '@rfsis/sniffer';
import { describe, expect, it } from 'vitest';
import { PacedDetector } from '../../src/node/paced-detector.js';

describe('a paced detector', () => {
  function make(): PacedDetector {
    return new PacedDetector(new FixedTimeoutDetector(100), 20, 100);
  }

  it('is the detector inside for a peer of the same or a quicker pace', () => {
    for (const peerIntervalMs of [20, 5]) {
      const detector = make();
      expect(detector.deadline()).toBe(Infinity);
      detector.reset(1000);
      detector.pace(peerIntervalMs);
      expect(detector.deadline()).toBe(1100);
      detector.heard(1020);
      expect(detector.deadline()).toBe(1120);
      detector.resume(1040);
      expect(detector.deadline()).toBe(1140);
    }
  });

  it('gives a slower peer as many of its intervals as of ours', () => {
    const detector = make();
    detector.reset(1000);
    detector.pace(200);
    expect(detector.deadline()).toBe(2000);
    detector.heard(1200);
    expect(detector.deadline()).toBe(2200);
    detector.resume(1300);
    expect(detector.deadline()).toBe(2300);
    detector.pace(20);
    expect(detector.deadline()).toBe(1400);
  });
});
