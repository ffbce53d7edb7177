// Putting fragments together (RFC 791 3.2, RFC 1122 3.3.2) within limits of time and memory.
import type { Clock, Timer } from '@rfsis/link';
import { BufferPool } from './buffer-pool.js';
import type { Ipv4View } from './packet.js';
import { IPV4_MAX_HEADER_OCTETS } from './packet.js';
import { Reassembly, type FragmentDefect } from './reassembly.js';

/** Times and limits of {@link Reassembler}. */
export interface ReassemblyLimits {
  /**
   * How long fragments wait for the rest, from the first that arrived; default 30,000 ms, as Linux and others. RFC 1122
   * 3.3.2 says 60 to 120 s, from a time of slow lines; but a sender of 10,000 datagrams a second uses an identification
   * again after 6.5 s, so the longer old fragments lie about, the more likely they are mixed with new ones (RFC 4963).
   */
  readonly reassemblyMs: number;
  /** Memory for incomplete datagrams; at the limit the oldest are discarded. Default 4 MiB. */
  readonly reassemblyOctets: number;
  /** Of which one source may hold; at the limit its own oldest are discarded. Default 1 MiB. */
  readonly reassemblySourceOctets: number;
  /** Incomplete datagrams, including the marks of discarded ones; at the limit the oldest go. Default 1,024. */
  readonly reassemblyDatagrams: number;
}

/** Why a fragment was not kept. */
export type FragmentDrop =
  | FragmentDefect
  /** No octets of payload. */
  | 'fragment-empty'
  /** Not the last, and yet no multiple of eight octets. */
  | 'fragment-length'
  /** Its datagram was discarded before, for one of the other reasons. */
  | 'fragment-discarded';

/** What became of datagrams in fragments that were not completed; counted by datagram. */
export interface ReassemblyCounters {
  /** The rest did not come in time. */
  timedOut: number;
  /** Had to make room. */
  evicted: number;
  /** One of the {@link FragmentDefect}s. */
  discarded: number;
  /** Its destination is no longer an address of ours. */
  abandoned: number;
}

/** All zero. */
export function newReassemblyCounters(): ReassemblyCounters {
  return { timedOut: 0, evicted: 0, discarded: 0, abandoned: 0 };
}

/** Is given the first fragment of a datagram whose time is over, if it is there; valid only during the call. */
export type ReassemblyTimeoutHandler = (bytes: Uint8Array, offset: number, end: number) => void;

export class Reassembler {
  readonly counters: ReassemblyCounters = newReassemblyCounters();
  readonly #clock: Clock;
  readonly #limits: ReassemblyLimits;
  readonly #onTimeout: ReassemblyTimeoutHandler;
  readonly #pool = new BufferPool(4);
  /** By source and identification; the rest of the key is compared along the chain. */
  readonly #chains = new Map<number, Reassembly>();
  /** All of them, the oldest first. */
  readonly #ages = new Set<Reassembly>();
  readonly #octetsBySource = new Map<number, number>();
  #octets = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, limits: ReassemblyLimits, onTimeout: ReassemblyTimeoutHandler) {
    this.#clock = clock;
    this.#limits = limits;
    this.#onTimeout = onTimeout;
  }

  /** Octets of memory held by incomplete datagrams. */
  get octets(): number {
    return this.#octets;
  }

  /** Incomplete datagrams, marks included. */
  get datagrams(): number {
    return this.#ages.size;
  }

  /**
   * Takes in a fragment.
   * @returns the finished datagram, when this was what it lacked: give it back with {@link Reassembler.release};
   *   undefined when more is missing; or why the fragment was not kept
   */
  add(packet: Ipv4View, bytes: Uint8Array): Reassembly | FragmentDrop | undefined {
    const length = packet.totalLength - packet.headerLength;
    if (length === 0) return 'fragment-empty';
    if (packet.moreFragments && length % 8 !== 0) return 'fragment-length';
    const datagram = this.#find(packet) ?? this.#start(packet, length);
    if (datagram.discarded) return 'fragment-discarded';
    const before = datagram.octets;
    const defect = datagram.add(packet, bytes, this.#pool);
    this.#account(datagram, datagram.octets - before);
    if (defect !== undefined) {
      if (defect !== 'fragment-duplicate') this.#discard(datagram);
    } else if (datagram.complete) {
      this.#remove(datagram);
      datagram.finish();
      return datagram;
    }
    this.#enforceLimits(datagram);
    return defect;
  }

  /** Takes the memory of a finished datagram back. */
  release(datagram: Reassembly): void {
    datagram.discard(this.#pool);
  }

  /** Forgets what is on its way to an address that is no longer ours. */
  abandon(destination: number): void {
    for (const datagram of this.#ages) {
      if (datagram.destination !== destination) continue;
      if (!datagram.discarded) this.counters.abandoned++;
      this.#drop(datagram);
    }
    this.#arm();
  }

  /** Forgets everything; no timer is left. */
  clear(): void {
    for (const datagram of this.#ages) this.#drop(datagram);
    this.#arm();
  }

  #find(packet: Ipv4View): Reassembly | undefined {
    let datagram = this.#chains.get(keyOf(packet));
    while (datagram !== undefined && !datagram.matches(packet)) datagram = datagram.next;
    return datagram;
  }

  #start(packet: Ipv4View, length: number): Reassembly {
    const deadlineMs = this.#clock.now() + this.#limits.reassemblyMs;
    const first = IPV4_MAX_HEADER_OCTETS + Math.min(packet.fragmentOffset + length, 0xffff);
    const datagram = new Reassembly(packet, deadlineMs, this.#pool.take(first));
    const key = keyOf(packet);
    datagram.next = this.#chains.get(key);
    this.#chains.set(key, datagram);
    this.#ages.add(datagram);
    this.#account(datagram, datagram.octets);
    if (this.#timer === undefined) this.#arm();
    return datagram;
  }

  #account(datagram: Reassembly, change: number): void {
    if (change === 0) return;
    this.#octets += change;
    const bySource = (this.#octetsBySource.get(datagram.source) ?? 0) + change;
    if (bySource === 0) this.#octetsBySource.delete(datagram.source);
    else this.#octetsBySource.set(datagram.source, bySource);
  }

  /** Makes room, for the sake of `latest`, which stays. */
  #enforceLimits(latest: Reassembly): void {
    const { reassemblyOctets, reassemblySourceOctets, reassemblyDatagrams } = this.#limits;
    const { source } = latest;
    if ((this.#octetsBySource.get(source) ?? 0) > reassemblySourceOctets) {
      for (const datagram of this.#ages) {
        if (datagram.source !== source || datagram === latest) continue;
        this.#evict(datagram);
        if ((this.#octetsBySource.get(source) ?? 0) <= reassemblySourceOctets) break;
      }
    }
    if (this.#octets <= reassemblyOctets && this.#ages.size <= reassemblyDatagrams) return;
    for (const datagram of this.#ages) {
      if (datagram === latest) continue;
      this.#evict(datagram);
      if (this.#octets <= reassemblyOctets && this.#ages.size <= reassemblyDatagrams) break;
    }
  }

  #evict(datagram: Reassembly): void {
    if (!datagram.discarded) this.counters.evicted++;
    this.#drop(datagram);
  }

  /** Keeps the mark, gives up the memory. */
  #discard(datagram: Reassembly): void {
    this.counters.discarded++;
    const { octets } = datagram;
    datagram.discard(this.#pool);
    this.#account(datagram, -octets);
  }

  /** Forgets a datagram, memory and all. */
  #drop(datagram: Reassembly): void {
    this.#remove(datagram);
    datagram.discard(this.#pool);
  }

  /** Takes a datagram out of all tables; its memory stays its own. */
  #remove(datagram: Reassembly): void {
    const key = keyOf(datagram);
    const head = this.#chains.get(key);
    if (head === datagram) {
      if (datagram.next === undefined) this.#chains.delete(key);
      else this.#chains.set(key, datagram.next);
    } else {
      let before = head;
      while (before !== undefined && before.next !== datagram) before = before.next;
      if (before !== undefined) before.next = datagram.next;
    }
    this.#ages.delete(datagram);
    this.#account(datagram, -datagram.octets);
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const oldest of this.#ages) {
      this.#timer = this.#clock.setTimer(Math.max(0, oldest.deadlineMs - this.#clock.now()), () => {
        this.#timer = undefined;
        this.#expire();
      });
      break;
    }
  }

  #expire(): void {
    const nowMs = this.#clock.now();
    for (const datagram of this.#ages) {
      if (datagram.deadlineMs > nowMs) break;
      if (!datagram.discarded) {
        this.counters.timedOut++;
        // RFC 1122 3.3.2: with fragment zero at hand, an ICMP Time Exceeded (Fragment Reassembly Timeout) MUST be sent.
        // RFC 1122 3.2.2: the header it quotes MUST be as it was received: that of the fragment, not of the datagram.
        if (datagram.hasHeader) {
          this.#onTimeout(datagram.buffer, datagram.datagramOffset, datagram.datagramEnd);
        }
      }
      this.#drop(datagram);
    }
    this.#arm();
  }
}

function keyOf(packet: { readonly source: number; readonly identification: number }): number {
  return packet.source * 0x1_0000 + packet.identification;
}
