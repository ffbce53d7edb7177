// Announcements of our own addresses (RFC 5227 2.3): when they go out. How they look is in arp-sender.ts.
import type { Clock, Timer } from '@rfsis/link';
import type { ArpSender } from './arp-sender.js';
import { ArpError } from './errors.js';

/** When announcements of an address are sent, in milliseconds after the call of `announce`. Plain data. */
export interface AnnounceSchedule {
  /** The first ones, ascending; 0 is sent within the call. */
  readonly burstMs: readonly number[];
  /** After the burst: one each so many milliseconds, for as long as the address is ours; 0 for none. */
  readonly refreshMs: number;
}

/**
 * For taking an address over. One announcement corrects every neighbour that hears it, so the first goes out at once.
 * Any frame may be lost, and a switch port, a bridge or a host may be deaf just at that moment, so it is repeated at
 * growing distances: 20 and 60 ms for single losses, 200 ms because a Linux TCP client retransmits no sooner than
 * that, 600 ms to 3 s for ports that come up again and hosts that are overloaded. The refresh heals later damage
 * (a foreign claim, a bridge that forgot us) at six small frames a minute.
 */
export const ANNOUNCE_TAKEOVER: AnnounceSchedule = {
  burstMs: [0, 20, 60, 200, 600, 1500, 3000],
  refreshMs: 10_000,
};

/** RFC 5227 2.3: ANNOUNCE_NUM (2) announcements, ANNOUNCE_INTERVAL (2 s) apart. */
export const ANNOUNCE_RFC5227: AnnounceSchedule = { burstMs: [0, 2000], refreshMs: 0 };

/** The shortest refresh that is accepted; anything below floods the segment. */
const REFRESH_MIN_MS = 10;

/** Runs the schedules of any number of addresses. Late timers skip what they missed, they do not make up for it. */
export class Announcer {
  readonly #clock: Clock;
  readonly #sender: ArpSender;
  readonly #running = new Map<number, Announcement>();

  constructor(clock: Clock, sender: ArpSender) {
    this.#clock = clock;
    this.#sender = sender;
  }

  /**
   * Starts the schedule of an address, over again when it is running.
   * @throws {ArpError} `RFSIS_ARP_OPTION_INVALID`
   */
  start(address: number, schedule: AnnounceSchedule): void {
    checkSchedule(schedule);
    this.stop(address);
    const announcement = new Announcement(this.#clock, this.#sender, address, schedule);
    this.#running.set(address, announcement);
    announcement.run();
  }

  stop(address: number): void {
    this.#running.get(address)?.cancel();
    this.#running.delete(address);
  }

  close(): void {
    for (const announcement of this.#running.values()) announcement.cancel();
    this.#running.clear();
  }
}

class Announcement {
  readonly #clock: Clock;
  readonly #sender: ArpSender;
  readonly #address: number;
  readonly #schedule: AnnounceSchedule;
  readonly #startMs: number;
  #next = 0;
  #timer: Timer | undefined;
  #cancelled = false;

  constructor(clock: Clock, sender: ArpSender, address: number, schedule: AnnounceSchedule) {
    this.#clock = clock;
    this.#sender = sender;
    this.#address = address;
    this.#schedule = schedule;
    this.#startMs = clock.now();
  }

  run(): void {
    const nowMs = this.#clock.now();
    if (this.#dueMs(this.#next) <= nowMs) {
      this.#sender.announcement(this.#address, 'announcement');
      this.#skipTo(nowMs);
    }
    const dueMs = this.#dueMs(this.#next);
    // The trailer's maker may have called it off.
    if (this.#cancelled || dueMs === Infinity) return;
    this.#timer = this.#clock.setTimer(dueMs - nowMs, () => {
      this.run();
    });
  }

  cancel(): void {
    this.#cancelled = true;
    this.#timer?.cancel();
  }

  /** The first announcement after `nowMs`: on the grid of the start, so that lateness does not add up. */
  #skipTo(nowMs: number): void {
    const { burstMs, refreshMs } = this.#schedule;
    while (this.#next < burstMs.length && this.#dueMs(this.#next) <= nowMs) this.#next++;
    if (this.#next < burstMs.length || refreshMs === 0) return;
    const sinceBurstMs = nowMs - this.#startMs - (burstMs.at(-1) ?? 0);
    this.#next = Math.max(this.#next, burstMs.length + Math.floor(sinceBurstMs / refreshMs));
    // The division may round down to the one just sent.
    if (this.#dueMs(this.#next) <= nowMs) this.#next++;
  }

  #dueMs(index: number): number {
    const { burstMs, refreshMs } = this.#schedule;
    const burst = burstMs[index];
    if (burst !== undefined) return this.#startMs + burst;
    if (refreshMs === 0) return Infinity;
    return this.#startMs + (burstMs.at(-1) ?? 0) + (index - burstMs.length + 1) * refreshMs;
  }
}

function checkSchedule({ burstMs, refreshMs }: AnnounceSchedule): void {
  let previous = 0;
  for (const each of burstMs) {
    if (!(each >= previous) || each === Infinity) {
      throw new ArpError(
        'RFSIS_ARP_OPTION_INVALID',
        `burstMs holds ${each} after ${previous}: expected ascending milliseconds`,
      );
    }
    previous = each;
  }
  if (refreshMs === 0 || (refreshMs >= REFRESH_MIN_MS && refreshMs < Infinity)) return;
  throw new ArpError(
    'RFSIS_ARP_OPTION_INVALID',
    `refreshMs is ${refreshMs}: expected 0 for no refresh, or at least ${REFRESH_MIN_MS}`,
  );
}
