// Bounds the hashing that strangers can make this node do: a token bucket over the time handed in.
import { requireAtLeast, requirePositive } from './option-checks.js';

const INVALID = 'RFSIS_SNIFFER_OPTION_INVALID';

/** Options of {@link VerificationBudget}. */
export interface VerificationBudgetOptions {
  /** Verifications a second, on average; default 500 (about three thousandths of one core). */
  readonly perSecond?: number;
  /** Verifications at once, after a pause; default 100. */
  readonly burst?: number;
}

/** A token bucket. */
export class VerificationBudget {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #filledMs = Number.NEGATIVE_INFINITY;

  /** @throws {SnifferError} `RFSIS_SNIFFER_OPTION_INVALID` */
  constructor(options: VerificationBudgetOptions = {}) {
    this.#perMs = requirePositive(INVALID, 'perSecond', options.perSecond ?? 500) / 1000;
    this.#burst = requireAtLeast(INVALID, 'burst', options.burst ?? 100, 1);
    this.#tokens = this.#burst;
  }

  /** @returns whether one more verification is within the budget */
  take(nowMs: number): boolean {
    if (nowMs > this.#filledMs) {
      this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#filledMs) * this.#perMs);
      this.#filledMs = nowMs;
    }
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
