// Probing for an address before it is used (RFC 5227 2.1).
import type { MacAddress } from '@rfsis/link';

/** Timing of a probe, with the names of RFC 5227 1.1. Plain data. */
export interface ProbeTiming {
  /** PROBE_WAIT: the first probe is sent after a random time of 0 to this. */
  readonly waitMs: number;
  /** PROBE_NUM: probes sent. */
  readonly count: number;
  /** PROBE_MIN and PROBE_MAX: bounds of the random time between probes. */
  readonly minMs: number;
  readonly maxMs: number;
  /** ANNOUNCE_WAIT: silence after the last probe that makes the address free. */
  readonly announceWaitMs: number;
}

/** The timing of RFC 5227 1.1: 4 to 7 seconds. */
export const PROBE_RFC5227: ProbeTiming = {
  waitMs: 1000,
  count: 3,
  minMs: 1000,
  maxMs: 2000,
  announceWaitMs: 2000,
};

/**
 * For one wired segment, 80 to 120 ms in all. RFC 5227 2.2 allows shorter times where the technology does: an Ethernet
 * host answers within a millisecond, a busy virtual one within some tens. Three probes stand two losses.
 */
export const PROBE_FAST: ProbeTiming = { waitMs: 10, count: 3, minMs: 15, maxMs: 30, announceWaitMs: 50 };

/** Somebody has or wants the address. */
export interface ProbeConflict {
  readonly conflict: MacAddress;
  /** `holder` uses the address; `prober` probes for it at the same time as we do. */
  readonly by: 'holder' | 'prober';
  /** `isTrusted` vouched for the packet: it is the peer, not a stranger. */
  readonly trusted: boolean;
}

export type ProbeResult = 'free' | ProbeConflict;
