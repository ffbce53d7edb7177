// Adaptive failure detection: Hayashibara, Defago, Yared, Katayama, "The phi accrual failure detector" (SRDS 2004).
// Intervals between beats are taken as normally distributed, with mean and deviation of a sliding window. Phi is the
// number of decimal zeros in the probability that a beat comes later than now, although the peer lives.
import { SnifferError } from './errors.js';
import type { FailureDetector } from './failure-detector.js';
import { normalTailPhi, normalTailQuantile } from './normal-tail.js';
import { requireAtLeast, requirePositive } from './option-checks.js';

/** Options of {@link PhiAccrualDetector}. */
export interface PhiAccrualOptions {
  /** The interval at which the peer means to beat: what is expected before anything was learned. */
  readonly intervalMs: number;
  /** Give up at this phi; default 8: one false alarm in 10^8 beats, were intervals really normal. */
  readonly threshold?: number;
  /** How many intervals are remembered; 2 to 10,000, default 200. */
  readonly windowSize?: number;
  /** Added to the mean: a pause that is always forgiven. Default 0. */
  readonly acceptablePauseMs?: number;
  /** A deviation below this counts as this, so that a very regular peer is not given up rashly. Default intervalMs / 10. */
  readonly minStdDeviationMs?: number;
  /** Never give up sooner; default 2.5 x intervalMs: one lost beat is no death, however regular the others were. */
  readonly minTimeoutMs?: number;
  /** Never wait longer; default 10 x intervalMs. */
  readonly maxTimeoutMs?: number;
}

const INVALID = 'RFSIS_SNIFFER_DETECTOR_INVALID';
const MAX_WINDOW = 10_000;

/**
 * Gives the peer up when phi reaches a threshold. Phi rises with time in a known way, so the moment is computed, not
 * polled: mean + pause + z * deviation after the last beat, where z depends on the threshold alone.
 */
export class PhiAccrualDetector implements FailureDetector {
  readonly threshold: number;
  readonly minTimeoutMs: number;
  readonly maxTimeoutMs: number;
  readonly #intervalMs: number;
  readonly #pauseMs: number;
  readonly #minDeviationMs: number;
  /** How many deviations above the mean phi reaches the threshold. */
  readonly #z: number;
  /** Ring of the latest intervals, as differences from the expected one: small numbers keep the sums exact. */
  readonly #window: Float64Array;
  #count = 0;
  #next = 0;
  #sum = 0;
  #squares = 0;
  #lastMs = Number.POSITIVE_INFINITY;
  #deadlineMs = Number.POSITIVE_INFINITY;

  /** @throws {SnifferError} `RFSIS_SNIFFER_DETECTOR_INVALID` */
  constructor(options: PhiAccrualOptions) {
    const intervalMs = requirePositive(INVALID, 'intervalMs', options.intervalMs);
    this.#intervalMs = intervalMs;
    this.threshold = requirePositive(INVALID, 'threshold', options.threshold ?? 8);
    this.#pauseMs = requireAtLeast(INVALID, 'acceptablePauseMs', options.acceptablePauseMs ?? 0, 0);
    this.#minDeviationMs = requirePositive(
      INVALID,
      'minStdDeviationMs',
      options.minStdDeviationMs ?? intervalMs / 10,
    );
    this.minTimeoutMs = requirePositive(INVALID, 'minTimeoutMs', options.minTimeoutMs ?? 2.5 * intervalMs);
    this.maxTimeoutMs = requireAtLeast(
      INVALID,
      'maxTimeoutMs',
      options.maxTimeoutMs ?? Math.max(this.minTimeoutMs, 10 * intervalMs),
      this.minTimeoutMs,
    );
    const windowSize = options.windowSize ?? 200;
    if (!Number.isInteger(windowSize) || windowSize < 2 || windowSize > MAX_WINDOW) {
      throw new SnifferError(
        INVALID,
        `windowSize is ${windowSize}: expected an integer of 2 to ${MAX_WINDOW}`,
      );
    }
    this.#window = new Float64Array(windowSize);
    this.#z = normalTailQuantile(this.threshold);
    this.#forget();
  }

  /** Mean of the remembered intervals. */
  get meanMs(): number {
    return this.#intervalMs + this.#sum / this.#count;
  }

  /** Deviation of the remembered intervals, not below the configured minimum. */
  get stddevMs(): number {
    const mean = this.#sum / this.#count;
    const variance = Math.max(0, this.#squares / this.#count - mean * mean);
    return Math.max(this.#minDeviationMs, Math.sqrt(variance));
  }

  /** Phi at a time, without the bounds on the timeout; 0 before the peer was heard. */
  phi(nowMs: number): number {
    const silentMs = nowMs - this.#lastMs;
    if (!(silentMs >= 0)) return 0;
    return normalTailPhi((silentMs - this.meanMs - this.#pauseMs) / this.stddevMs);
  }

  heard(nowMs: number): void {
    // An interval longer than the limit ended in death or should have; it would only teach patience.
    if (nowMs >= this.#lastMs) this.#learn(Math.min(nowMs - this.#lastMs, this.maxTimeoutMs));
    this.resume(nowMs);
  }

  resume(nowMs: number): void {
    this.#lastMs = nowMs;
    const timeoutMs = this.meanMs + this.#pauseMs + this.#z * this.stddevMs;
    this.#deadlineMs = nowMs + Math.min(this.maxTimeoutMs, Math.max(this.minTimeoutMs, timeoutMs));
  }

  deadline(): number {
    return this.#deadlineMs;
  }

  reset(nowMs: number): void {
    this.#forget();
    this.resume(nowMs);
  }

  /** Two made-up intervals, a quarter above and below the expected one, hold the place of the first real ones. */
  #forget(): void {
    this.#count = 0;
    this.#next = 0;
    this.#sum = 0;
    this.#squares = 0;
    this.#learn(this.#intervalMs * 0.75);
    this.#learn(this.#intervalMs * 1.25);
  }

  #learn(intervalMs: number): void {
    const value = intervalMs - this.#intervalMs;
    if (this.#count === this.#window.length) {
      const oldest = this.#window[this.#next] as number;
      this.#sum -= oldest;
      this.#squares -= oldest * oldest;
    } else {
      this.#count++;
    }
    this.#window[this.#next] = value;
    this.#sum += value;
    this.#squares += value * value;
    this.#next++;
    if (this.#next === this.#window.length) {
      this.#next = 0;
      this.#recount();
    }
  }

  /** Once a round: rounding errors of adding and subtracting do not build up. */
  #recount(): void {
    this.#sum = 0;
    this.#squares = 0;
    for (const value of this.#window) {
      this.#sum += value;
      this.#squares += value * value;
    }
  }
}
