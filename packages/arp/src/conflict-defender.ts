// Defence of addresses in use (RFC 5227 2.4, choice (c): for ever). What a conflict is, arp-endpoint.ts decides.
import { Ipv4Address, MacAddress, type Clock, type Timer } from '@rfsis/link';
import type { ArpSender } from './arp-sender.js';
import type { AddressConflict } from './options.js';

interface Contest {
  /** When we last defended. */
  defendedMs: number;
  /** Conflicting packets not yet answered by a defence. */
  packets: number;
  mac: number;
  timer: Timer | undefined;
}

/**
 * Answers a conflict with one announcement and one report, then keeps still for the interval, however many more come
 * (RFC 5227 2.4 (c): two stubborn hosts must not flood the segment). When some came meanwhile, it defends once more at
 * the end of the interval: the neighbours believe the rival until then.
 */
export class ConflictDefender {
  readonly #clock: Clock;
  readonly #sender: ArpSender;
  readonly #intervalMs: number;
  readonly #onConflict: ((conflict: AddressConflict) => void) | undefined;
  readonly #contests = new Map<number, Contest>();

  constructor(
    clock: Clock,
    sender: ArpSender,
    intervalMs: number,
    onConflict: ((conflict: AddressConflict) => void) | undefined,
  ) {
    this.#clock = clock;
    this.#sender = sender;
    this.#intervalMs = intervalMs;
    this.#onConflict = onConflict;
  }

  /** `mac` claims `address`, which is ours. */
  conflict(address: number, mac: number): void {
    let contest = this.#contests.get(address);
    if (contest === undefined) {
      contest = { defendedMs: -Infinity, packets: 0, mac, timer: undefined };
      this.#contests.set(address, contest);
    }
    contest.packets++;
    contest.mac = mac;
    if (contest.timer === undefined) this.#consider(address, contest);
  }

  /** The address is no longer ours. */
  stop(address: number): void {
    this.#contests.get(address)?.timer?.cancel();
    this.#contests.delete(address);
  }

  close(): void {
    for (const contest of this.#contests.values()) contest.timer?.cancel();
    this.#contests.clear();
  }

  #consider(address: number, contest: Contest): void {
    const nowMs = this.#clock.now();
    const waitMs = contest.defendedMs + this.#intervalMs - nowMs;
    // RFC 5227 2.4 (c): within DEFEND_INTERVAL of the last defence the host MUST NOT send another.
    if (waitMs > 0) {
      contest.timer = this.#clock.setTimer(waitMs, () => {
        contest.timer = undefined;
        this.#consider(address, contest);
      });
      return;
    }
    const { packets, mac } = contest;
    contest.defendedMs = nowMs;
    contest.packets = 0;
    this.#sender.announcement(address, 'defence');
    this.#onConflict?.({
      address: Ipv4Address.fromNumber(address),
      mac: MacAddress.fromNumber(mac),
      kind: 'ongoing',
      packets,
    });
  }
}
