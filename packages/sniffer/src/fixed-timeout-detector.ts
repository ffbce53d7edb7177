// Failure detection as in the paper: silent for a fixed time is dead.
import { requirePositive } from './option-checks.js';
import type { FailureDetector } from './failure-detector.js';

/** Gives the peer up when it was silent for `timeoutMs`. */
export class FixedTimeoutDetector implements FailureDetector {
  readonly timeoutMs: number;
  #deadlineMs = Number.POSITIVE_INFINITY;

  /**
   * @param timeoutMs three intervals and more, so that two lost beats in a row are no death
   * @throws {SnifferError} `RFSIS_SNIFFER_DETECTOR_INVALID`
   */
  constructor(timeoutMs: number) {
    this.timeoutMs = requirePositive('RFSIS_SNIFFER_DETECTOR_INVALID', 'timeoutMs', timeoutMs);
  }

  heard(nowMs: number): void {
    this.#deadlineMs = nowMs + this.timeoutMs;
  }

  resume(nowMs: number): void {
    this.heard(nowMs);
  }

  deadline(): number {
    return this.#deadlineMs;
  }

  reset(nowMs: number): void {
    this.heard(nowMs);
  }
}
