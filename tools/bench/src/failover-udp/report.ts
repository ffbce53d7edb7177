// From failovers to figures: the JSON object of the benchmark, with the peer's figures beside ours and the targets.
import type { Machine } from '../machine.js';
import { summarise, type Summary } from '../statistics.js';
import type { ContenderResult, FailoverRun, Timeline } from './measurement.js';

/** A figure of both; null: there is none. */
export interface Figure {
  readonly name: string;
  readonly unit: 'ms';
  readonly rfsis: Summary | null;
  readonly peer: Summary | null;
}

/** What RFSIS is held to. */
export interface Target {
  readonly name: string;
  readonly unit: 'ms';
  readonly atMost: number;
  readonly rfsis: number | null;
  readonly peer: number | null;
  /** Whether RFSIS keeps it. */
  readonly pass: boolean;
}

/** The output of `failover-udp --json`. */
export interface FailoverReport {
  readonly benchmark: 'failover-udp';
  readonly machine: Machine;
  /** None with timers other than {@link TARGET_TIMERS}. */
  readonly targets: readonly Target[];
  readonly figures: readonly Figure[];
  readonly rfsis: ContenderResult;
  /** null: RFSIS was measured alone. */
  readonly peer: ContenderResult | null;
}

/** The timers that the targets are for. */
export const TARGET_TIMERS = { intervalMs: 10, timeoutMs: 30 } as const;
/** Of 20 failovers. */
export const MEDIAN_AT_MOST_MS = 35;
export const LONGEST_AT_MOST_MS = 70;

type Reading = (run: FailoverRun, result: ContenderResult) => number | null;

const READINGS: readonly (readonly [name: string, reading: Reading])[] = [
  ['gap', ({ gapMs }) => gapMs],
  ['gap if the prober was in time', ({ gapMs, proberLate }) => (proberLate ? null : gapMs)],
  ['silence at the client', ({ silenceMs }) => silenceMs],
  ['power loss to announcement', at('announced')],
  ['power loss to first answer', at('firstAnswer')],
  ['silence beyond the timeout', beyondTimeout],
  ['announcement to first answer', between('announced', 'firstAnswer')],
  ['ARP exchange with the client', between('askedForClient', 'toldClient')],
  ['detectMs of the log', ({ detectMs }) => detectMs],
  ['installMs of the log', ({ installMs }) => installMs],
  ['power loss to log line read', at('logged')],
  ['lateness of the prober', ({ proberLateMs }) => proberLateMs],
];

/** Puts the report together. */
export function failoverReport(
  machine: Machine,
  rfsis: ContenderResult,
  peer: ContenderResult | undefined,
): FailoverReport {
  const figures = READINGS.map(([name, reading]): Figure => ({
    name,
    unit: 'ms',
    rfsis: sum(rfsis, reading),
    peer: sum(peer, reading),
  }));
  return {
    benchmark: 'failover-udp',
    machine,
    targets: targetsOf(rfsis, figures[0]),
    figures,
    rfsis,
    peer: peer ?? null,
  };
}

/** Whether all targets are kept. */
export function passes({ targets }: FailoverReport): boolean {
  return targets.every(({ pass }) => pass);
}

function targetsOf(rfsis: ContenderResult, gap: Figure | undefined): Target[] {
  if (rfsis.intervalMs !== TARGET_TIMERS.intervalMs || rfsis.timeoutMs !== TARGET_TIMERS.timeoutMs) return [];
  const limits = [
    ['median gap', 'median', MEDIAN_AT_MOST_MS],
    ['longest gap', 'max', LONGEST_AT_MOST_MS],
  ] as const;
  return limits.map(([name, key, atMost]) => {
    const ours = gap?.rfsis?.[key] ?? null;
    // A failover that came to no figure is worse than any figure.
    const pass = ours !== null && ours <= atMost && rfsis.failures.length === 0;
    return { name, unit: 'ms', atMost, rfsis: ours, peer: gap?.peer?.[key] ?? null, pass };
  });
}

function sum(result: ContenderResult | undefined, reading: Reading): Summary | null {
  if (result === undefined) return null;
  return summarise(result.runs.map((run) => reading(run, result)).filter((value) => value !== null));
}

function at(step: keyof Timeline): Reading {
  return ({ afterPowerLossMs }) => afterPowerLossMs[step];
}

function between(from: keyof Timeline, to: keyof Timeline): Reading {
  return ({ afterPowerLossMs: times }) => difference(times[from], times[to]);
}

/** What detection and takeover take besides the waiting that was asked for. */
function beyondTimeout(
  { afterPowerLossMs: times }: FailoverRun,
  { timeoutMs }: ContenderResult,
): number | null {
  const silenceMs = difference(times.lastSign, times.announced);
  return silenceMs === null ? null : silenceMs - timeoutMs;
}

function difference(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : to - from;
}
