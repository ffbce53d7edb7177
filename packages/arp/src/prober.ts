// Probing for an address before it is used (RFC 5227 2.1).
import { MacAddress, randomFraction, type Clock, type Random, type Timer } from '@rfsis/link';
import type { ArpSender } from './arp-sender.js';
import { ArpError } from './errors.js';
import type { ArpTask } from './options.js';

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

/** `unsent`: the device took none of the probes (no carrier), so the silence says nothing. */
export type ProbeResult = 'free' | 'unsent' | ProbeConflict;

/** Probes at work; usually none, rarely more than one. */
export class Prober {
  readonly #clock: Clock;
  readonly #sender: ArpSender;
  readonly #random: Random;
  readonly #probes = new Set<Probe>();

  constructor(clock: Clock, sender: ArpSender, random: Random) {
    this.#clock = clock;
    this.#sender = sender;
    this.#random = random;
  }

  /** @throws {ArpError} `RFSIS_ARP_OPTION_INVALID` */
  start(address: number, timing: ProbeTiming, done: (result: ProbeResult) => void): ArpTask {
    checkTiming(timing);
    const probe = new Probe(this.#clock, this.#sender, this.#random, address, timing, (result) => {
      this.#probes.delete(probe);
      done(result);
    });
    this.#probes.add(probe);
    probe.start();
    return {
      cancel: () => {
        this.#probes.delete(probe);
        probe.cancel();
      },
    };
  }

  /** Whether `address` is being probed for. */
  isProbing(address: number): boolean {
    for (const probe of this.#probes) if (probe.address === address) return true;
    return false;
  }

  /** Ends the probes for `address`: `mac` has or wants it. */
  conflict(address: number, mac: number, by: ProbeConflict['by'], trusted: boolean): void {
    for (const probe of this.#probes) {
      if (probe.address === address) probe.finish({ conflict: MacAddress.fromNumber(mac), by, trusted });
    }
  }

  close(): void {
    for (const probe of this.#probes) probe.cancel();
    this.#probes.clear();
  }
}

class Probe {
  readonly address: number;
  readonly #clock: Clock;
  readonly #sender: ArpSender;
  readonly #random: Random;
  readonly #timing: ProbeTiming;
  readonly #done: (result: ProbeResult) => void;
  #attempts = 0;
  #sent = 0;
  #finished = false;
  #timer: Timer | undefined;

  constructor(
    clock: Clock,
    sender: ArpSender,
    random: Random,
    address: number,
    timing: ProbeTiming,
    done: (result: ProbeResult) => void,
  ) {
    this.#clock = clock;
    this.#sender = sender;
    this.#random = random;
    this.address = address;
    this.#timing = timing;
    this.#done = done;
  }

  start(): void {
    // RFC 5227 2.1.1: a random time of zero to PROBE_WAIT, so that hosts switched on together do not probe together.
    this.#after(this.#timing.waitMs * randomFraction(this.#random), () => {
      this.#probe();
    });
  }

  cancel(): void {
    this.#finished = true;
    this.#timer?.cancel();
  }

  finish(result: ProbeResult): void {
    if (this.#finished) return;
    this.cancel();
    this.#done(result);
  }

  #probe(): void {
    const { count, minMs, maxMs, announceWaitMs } = this.#timing;
    this.#attempts++;
    if (this.#sender.probe(this.address)) this.#sent++;
    // The trailer's maker may have called it off, a device may have brought the answer at once.
    if (this.#finished) return;
    if (this.#attempts < count) {
      // RFC 5227 2.1.1: spaced randomly and uniformly, PROBE_MIN to PROBE_MAX apart.
      this.#after(minMs + (maxMs - minMs) * randomFraction(this.#random), () => {
        this.#probe();
      });
      return;
    }
    this.#after(announceWaitMs, () => {
      // After a stall of this process the timer comes before the answer that has long arrived: let it be read first.
      this.#timer = this.#clock.defer(() => {
        this.finish(this.#sent > 0 ? 'free' : 'unsent');
      });
    });
  }

  #after(delayMs: number, callback: () => void): void {
    this.#timer = this.#clock.setTimer(delayMs, callback);
  }
}

function checkTiming(timing: ProbeTiming): void {
  const { waitMs, count, minMs, maxMs, announceWaitMs } = timing;
  const finite = [waitMs, minMs, maxMs, announceWaitMs].every((each) => each >= 0 && each < Infinity);
  if (finite && minMs <= maxMs && Number.isInteger(count) && count >= 1) return;
  throw new ArpError(
    'RFSIS_ARP_OPTION_INVALID',
    `${JSON.stringify(timing)} is no probe timing: expected finite milliseconds, minMs at most maxMs, count at least 1`,
  );
}
