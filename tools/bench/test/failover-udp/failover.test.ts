import { describe, expect, it } from 'vitest';
import { judgeFailover } from '../../src/failover-udp/failover.js';
import type { WireTimes } from '../../src/failover-udp/wire.js';
import { raw } from './samples.js';

const WIRE: WireTimes = { lastSign: -4.123, announced: 27.5, askedForClient: 29, toldClient: 29.04 };

describe('judgeFailover', () => {
  it('puts client, switch and log on one time axis', () => {
    expect(judgeFailover(3, raw(), WIRE)).toEqual({
      number: 3,
      gapMs: 31,
      unanswered: 30,
      silenceMs: 33.5,
      coversPowerLoss: true,
      otherGaps: 0,
      wrongAnswers: 0,
      detectMs: 31.4,
      installMs: 0.7,
      afterPowerLossMs: {
        lastAnsweredSent: -0.5,
        lastSign: -4.12,
        announced: 27.5,
        logged: 28.5,
        firstAnsweredSent: 30.5,
        firstAnswer: 33.25,
        askedForClient: 29,
        toldClient: 29.04,
      },
      proberLateMs: 0.25,
      proberLate: false,
      busy: 0.5,
    });
  });

  it('reports the longest gap, and says when that is not the one of the power loss', () => {
    const gaps = [
      { startMs: 300, ms: 31, unanswered: 30, open: false },
      { startMs: 600, ms: 58, unanswered: 57, open: false },
    ];
    const run = judgeFailover(1, raw({ gaps, gapCount: 2, longestGapMs: 58 }), WIRE);
    expect(run).toMatchObject({ gapMs: 58, coversPowerLoss: false, otherGaps: 1 });
    expect(run.afterPowerLossMs.firstAnsweredSent).toBe(30.5);
  });

  it('a gap of before the power loss is not its own', () => {
    const gaps = [
      { startMs: 100, ms: 5, unanswered: 4, open: false },
      { startMs: 300, ms: 31, unanswered: 30, open: false },
    ];
    expect(judgeFailover(1, raw({ gaps, gapCount: 2 }), WIRE)).toMatchObject({
      gapMs: 31,
      coversPowerLoss: true,
      otherGaps: 1,
    });
  });

  it('marks a run when the prober was late', () => {
    const late = { skipped: 2, maxLateMs: 3.01 };
    expect(judgeFailover(1, raw({ sender: late }), WIRE)).toMatchObject({
      proberLate: true,
      proberLateMs: 3.01,
    });
  });

  it('what was not seen is null, not absent', () => {
    const unseen: WireTimes = { lastSign: null, announced: null, askedForClient: null, toldClient: null };
    const { afterPowerLossMs } = judgeFailover(
      1,
      { ...raw({ gaps: [], gapCount: 0 }), answered: undefined },
      unseen,
    );
    expect(afterPowerLossMs).toEqual({
      lastAnsweredSent: null,
      lastSign: null,
      announced: null,
      logged: 28.5,
      firstAnsweredSent: null,
      firstAnswer: null,
      askedForClient: null,
      toldClient: null,
    });
  });
});
