// Frames that wait until their next hop has answered (RFC 1122 2.3.2.2). Bounded per address and in all; whoever gives
// a bound's frame up is told.
import { copyFrame, EtherType, ETHERNET_HEADER_OCTETS, readU16, readU32 } from '@rfsis/link';
import type { ArpTxDrop } from './counters.js';
import type { HoldLimits } from './options.js';

// Field offsets in an untagged frame
const ETHERTYPE = 12;
const IPV4_SOURCE = ETHERNET_HEADER_OCTETS + 12;

/** The source address of the IPv4 packet in an untagged Ethernet frame; 0 when there is none. */
export function ipv4Source(frame: Uint8Array, length: number): number {
  if (length < IPV4_SOURCE + 4 || readU16(frame, ETHERTYPE) !== EtherType.ipv4) return 0;
  return readU32(frame, IPV4_SOURCE);
}

/**
 * Copies of Ethernet frames by next hop. At `heldFrames` of one address its oldest is dropped; at `heldOctets` in all
 * the oldest of the same address are, and the new one when that does not make room.
 */
export class HeldFrames {
  readonly #limits: HoldLimits;
  readonly #drops: Record<ArpTxDrop, number>;
  readonly #queues = new Map<number, Uint8Array[]>();
  #octets = 0;

  constructor(limits: HoldLimits, drops: Record<ArpTxDrop, number>) {
    this.#limits = limits;
    this.#drops = drops;
  }

  /** Octets held. */
  get octets(): number {
    return this.#octets;
  }

  /** Keeps a copy of the first `length` octets. @returns false when there is no room */
  hold(address: number, frame: Uint8Array, length: number): boolean {
    const { heldFrames, heldOctets } = this.#limits;
    let queue = this.#queues.get(address);
    while (queue !== undefined && (queue.length >= heldFrames || this.#octets + length > heldOctets)) {
      this.#dropOldest(address, queue);
      queue = this.#queues.get(address);
    }
    if (this.#octets + length > heldOctets) {
      this.#drops['hold-overflow']++;
      return false;
    }
    if (queue === undefined) {
      queue = [];
      this.#queues.set(address, queue);
    }
    queue.push(copyFrame(frame, length));
    this.#octets += length;
    return true;
  }

  /** Hands over the frames for `address`, oldest first. */
  take(address: number): Uint8Array[] {
    const queue = this.#queues.get(address);
    if (queue === undefined) return [];
    this.#queues.delete(address);
    for (const frame of queue) this.#octets -= frame.length;
    return queue;
  }

  /** Drops the frames for `address`, counted under `reason`. */
  drop(address: number, reason: ArpTxDrop): void {
    this.#drops[reason] += this.take(address).length;
  }

  /** Drops the frames for every address whose IPv4 source is `source`. */
  dropFrom(source: number): void {
    for (const [address, queue] of this.#queues) {
      const kept = queue.filter((frame) => ipv4Source(frame, frame.length) !== source);
      if (kept.length === queue.length) continue;
      this.#drops['address-changed'] += queue.length - kept.length;
      this.take(address);
      if (kept.length === 0) continue;
      this.#queues.set(address, kept);
      for (const frame of kept) this.#octets += frame.length;
    }
  }

  /** Drops everything, counted under `reason`. */
  clear(reason: ArpTxDrop): void {
    for (const queue of this.#queues.values()) this.#drops[reason] += queue.length;
    this.#queues.clear();
    this.#octets = 0;
  }

  #dropOldest(address: number, queue: Uint8Array[]): void {
    const oldest = queue.shift();
    this.#octets -= oldest?.length ?? 0;
    this.#drops['hold-overflow']++;
    if (queue.length === 0) this.#queues.delete(address);
  }
}
