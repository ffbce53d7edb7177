// Arbiters for pairs without a lease service: none at all, or a witness that must answer ARP.
import type { ArpEndpoint, ArpTask } from '@rfsis/arp';
import type { Clock, Ipv4Address } from '@rfsis/link';
import type { Arbiter, ArbiterVerdict } from './arbiter.js';

/** Grants everything. With it, two nodes that do not hear each other both serve until they meet again. */
export class NoArbiter implements Arbiter {
  readonly name = 'none';
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  consult(done: (verdict: ArbiterVerdict) => void): void {
    done({ granted: true, answeredAtMs: this.#clock.now(), evidence: 'no arbiter is configured' });
  }

  close(): void {
    // Nothing to end.
  }
}

/** Options of {@link WitnessArbiter}. Times are in milliseconds. */
export interface WitnessArbiterOptions {
  readonly arp: ArpEndpoint;
  readonly clock: Clock;
  /** An address on the segment, typically the gateway. */
  readonly witness: Ipv4Address;
  /** How long an answer may take. */
  readonly timeoutMs: number;
}

/** Requests for the witness go out this often while an answer is awaited, in milliseconds. */
const REQUEST_INTERVAL_MS = 10;

/** Grants when the witness answers an ARP request that is sent for each question anew. */
export class WitnessArbiter implements Arbiter {
  readonly name: string;
  readonly #options: WitnessArbiterOptions;
  /** Only the latest question is answered: an older one does not matter any more. */
  #task: ArpTask | undefined;

  constructor(options: WitnessArbiterOptions) {
    this.#options = options;
    this.name = `witness ${options.witness.toString()}`;
  }

  consult(done: (verdict: ArbiterVerdict) => void): void {
    const { arp, clock, witness, timeoutMs } = this.#options;
    const askedAtMs = clock.now();
    const options = { timeoutMs, fresh: true, intervalMs: REQUEST_INTERVAL_MS };
    this.#task?.cancel();
    this.#task = arp.resolve(witness, options, (mac) => {
      const answeredAtMs = clock.now();
      const evidence =
        mac === undefined
          ? `${witness.toString()} did not answer within ${timeoutMs} ms`
          : `${witness.toString()} answered from ${mac.toString()} after ${(answeredAtMs - askedAtMs).toFixed(1)} ms`;
      done({ granted: mac !== undefined, answeredAtMs, evidence });
    });
  }

  close(): void {
    this.#task?.cancel();
  }
}
