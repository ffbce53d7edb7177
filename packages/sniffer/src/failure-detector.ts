// The seam between hearing a peer and giving it up.

/**
 * Decides how long silence may last. Pure: time is an argument, in the milliseconds of a monotonic clock, and never
 * goes back. Nothing is allocated per call. Every implementation passes the cases of test/detector-compliance.ts.
 */
export interface FailureDetector {
  /** The peer was heard. The time since it was last heard may be learned from. */
  heard(nowMs: number): void;
  /** The peer was heard, but the time since it was last heard says nothing about the peer: this node was held up. */
  resume(nowMs: number): void;
  /**
   * When the peer is to be given up if nothing more is heard of it. Constant between calls of the other methods, so
   * that one timer is enough; `Infinity` before the first of them.
   */
  deadline(): number;
  /** Forgets what was learned and waits for the peer from now on. */
  reset(nowMs: number): void;
}
