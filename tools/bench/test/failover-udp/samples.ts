// Failovers that never were, for tests of what is made of them.
import type { UdpReport } from '@rfsis/tool-lab';
import type { RawFailover } from '../../src/failover-udp/failover.js';
import type { ContenderResult, FailoverRun } from '../../src/failover-udp/measurement.js';
import type { Machine } from '../../src/machine.js';

export const MACHINE: Machine = {
  processors: 2,
  kernel: '6.1.0',
  node: 'v20.20.0',
  loadAverage: { before: 0.5, after: 0.75 },
};

export function run(number: number, gapMs: number, changes: Partial<FailoverRun> = {}): FailoverRun {
  return {
    number,
    gapMs,
    unanswered: Math.round(gapMs),
    silenceMs: gapMs + 3,
    coversPowerLoss: true,
    otherGaps: 0,
    wrongAnswers: 0,
    detectMs: 31,
    installMs: 0.5,
    afterPowerLossMs: {
      lastAnsweredSent: -0.5,
      lastSign: -5,
      announced: 26,
      logged: 27,
      firstAnsweredSent: gapMs - 0.5,
      firstAnswer: 30,
      askedForClient: 28,
      toldClient: 28.25,
    },
    proberLateMs: 0.25,
    proberLate: false,
    busy: 0.125,
    ...changes,
  };
}

export function result(
  runs: readonly FailoverRun[],
  changes: Partial<ContenderResult> = {},
): ContenderResult {
  return {
    name: 'RFSIS',
    version: '1.2.3',
    intervalMs: 10,
    timeoutMs: 30,
    runs,
    failures: [],
    setupFailures: [],
    ...changes,
  };
}

export const PEER = { name: 'keepalived', version: '2.2.7' } as const;

/** A client that began to send at 1000 and saw one gap, from 1300 to 1331; the power loss was at 1300.5. */
export function raw(report: Partial<UdpReport> = {}): RawFailover {
  return {
    powerLoss: { atMs: 1300.5, linkDownAtMs: 1301 },
    news: { loggedAtMs: 1329, detectMs: 31.4, installMs: 0.7 },
    report: {
      startedAtMs: 1000,
      durationMs: 900,
      sent: 900,
      unsent: 0,
      answered: 870,
      lost: 30,
      duplicated: 0,
      corrupted: 0,
      stray: 0,
      reordered: 0,
      errors: {},
      firstAnswerMs: 0.25,
      lastAnswerMs: 899.5,
      gapCount: 1,
      longestGapMs: 31,
      gaps: [{ startMs: 300, ms: 31, unanswered: 30, open: false }],
      longestSilenceMs: 33.5,
      longestSilenceStartMs: 300.25,
      roundTripMs: { min: 0.1, p50: 0.1, p90: 0.2, p99: 0.3, max: 3 },
      sender: { skipped: 0, maxLateMs: 0.25 },
      ...report,
    },
    answered: { number: 4, atMs: 1334, fields: { event: 'answered', atMs: 1333.75, sequence: 331 } },
    busy: 0.5,
    failover: { deadMac: 'a', heirMac: 'b', clientMac: 'c', powerLossMs: 0, cutOffMs: 1 },
  };
}
