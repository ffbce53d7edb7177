// How many ICMP errors are sent (RFC 1122 3.2.2, RFC 1812 4.3.2.8): token buckets, for all and for each receiver.
import { type Clock, randomBelow, type Random } from '@rfsis/link';
import { KeyedHash } from '../keyed-hash.js';

/** Rates of {@link ErrorRateLimit}. */
export interface ErrorRates {
  /** ICMP errors a second, to all together; default 1,000. A twentieth of them may go at once. */
  readonly icmpErrorsPerSecond: number;
  /** ICMP errors a second to one receiver; default 50. Ten may go at once. */
  readonly icmpErrorsPerSecondEach: number;
}

const SLOTS = 512;
const BURST_EACH = 10;

/** A row of token buckets: `rate` tokens a second flow into each, at most `burst` stay. */
class TokenBuckets {
  readonly #ratePerMs: number;
  readonly #burst: number;
  readonly #tokens: Float64Array;
  readonly #updatedMs: Float64Array;

  constructor(count: number, ratePerSecond: number, burst: number, nowMs: number) {
    this.#ratePerMs = ratePerSecond / 1000;
    this.#burst = burst;
    this.#tokens = new Float64Array(count).fill(burst);
    this.#updatedMs = new Float64Array(count).fill(nowMs);
  }

  /** What is in the bucket now. */
  level(index: number, nowMs: number): number {
    const grown = (nowMs - (this.#updatedMs[index] as number)) * this.#ratePerMs;
    const level = Math.min(this.#burst, (this.#tokens[index] as number) + grown);
    this.#tokens[index] = level;
    this.#updatedMs[index] = nowMs;
    return level;
  }

  take(index: number): void {
    this.#tokens[index] = (this.#tokens[index] as number) - 1;
  }
}

/**
 * Receivers share 512 buckets by a keyed hash, so the memory is the same for any number of them. The common bucket is
 * taken for up to three tokens emptier than it is, at random: otherwise its level, seen from outside, would tell a
 * spoofer which ports are open (CVE-2020-25705).
 */
export class ErrorRateLimit {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #hash: KeyedHash;
  readonly #all: TokenBuckets;
  readonly #each: TokenBuckets;
  /** In how many ways the common bucket may be taken for emptier than it is. */
  readonly #margins: number;

  constructor(clock: Clock, random: Random, rates: ErrorRates) {
    const nowMs = clock.now();
    const { icmpErrorsPerSecond, icmpErrorsPerSecondEach } = rates;
    this.#clock = clock;
    this.#random = random;
    this.#hash = KeyedHash.withRandomKey(random);
    const burst = Math.max(1, icmpErrorsPerSecond / 20);
    this.#margins = Math.min(4, Math.floor(burst));
    this.#all = new TokenBuckets(1, icmpErrorsPerSecond, burst, nowMs);
    this.#each = new TokenBuckets(SLOTS, icmpErrorsPerSecondEach, BURST_EACH, nowMs);
  }

  /** Whether an error may go to `receiver` now; if so it is taken as sent. */
  allow(receiver: number): boolean {
    const nowMs = this.#clock.now();
    const slot = this.#hash.hash3(receiver, 0, 0) % SLOTS;
    if (this.#each.level(slot, nowMs) < 1) return false;
    if (this.#all.level(0, nowMs) < 1 + randomBelow(this.#random, this.#margins)) return false;
    this.#each.take(slot);
    this.#all.take(0);
    return true;
  }
}
