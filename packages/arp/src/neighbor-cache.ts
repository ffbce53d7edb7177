// The table of neighbours as a pure data structure: states, ages, limits. Time is an argument; it sends nothing and has
// no timer. resolver.ts drives it.
import type { NeighborTiming } from './options.js';

/**
 * `incomplete`: asked for, no answer yet. `reachable`: heard lately. `stale`: not heard lately, still usable.
 * `polling`: stale, in use, and being asked whether it is still there. `failed`: did not answer.
 */
export type NeighborState = 'incomplete' | 'reachable' | 'stale' | 'polling' | 'failed';

/** One entry. Only {@link NeighborCache} changes it. */
export interface Neighbor {
  /** Unsigned 32-bit. */
  readonly address: number;
  state: NeighborState;
  /** 48-bit; meaningful while {@link isUsable}. */
  mac: number;
  /** When {@link NeighborCache.step} has something to do. */
  dueMs: number;
  /** Requests or polls in the present round that nobody has answered. */
  requests: number;
  /** When the last request or poll was sent. */
  requestedMs: number;
  /** Rank of the last use for sending; 0 for never. */
  lastUse: number;
  /** The layers above saw forward progress since the entry was last looked at. */
  confirmed: boolean;
  /** The address of ours to ask from: the source of the last frame that waited. 0 when not known. */
  source: number;
}

/** What is to be done for an entry that is due. */
export type NeighborAction =
  | 'none'
  /** Broadcast a request. */
  | 'ask'
  /** Send a request to the MAC address on record. */
  | 'poll'
  /** It did not answer: tell those who wait. */
  | 'give-up';

/** What a received packet changed. */
export type NeighborUpdate = 'unknown' | 'refreshed' | 'moved' | 'resolved';

/** Whether the MAC address of an entry can be used. */
export function isUsable(neighbor: Neighbor): boolean {
  return neighbor.state !== 'incomplete' && neighbor.state !== 'failed';
}

/**
 * Neighbours by address. Bounded by `cacheEntries`: at the limit an entry that was never sent to makes room first, the
 * longest known of them, then the least recently used. An entry that is being resolved or was asked for within
 * `requestIntervalMs` stays, since forgetting it would allow the next request too soon; when all are such, nothing is
 * added.
 */
export class NeighborCache {
  readonly #timing: NeighborTiming;
  /** Keyed by the address as a signed integer, which engines keep unboxed. */
  readonly #entries = new Map<number, Neighbor>();
  #uses = 0;
  /** Entries that had to make room since the cache was made. */
  evictions = 0;

  constructor(timing: NeighborTiming) {
    this.#timing = timing;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(address: number): Neighbor | undefined {
    return this.#entries.get(address | 0);
  }

  /** All entries, longest known first. */
  values(): IterableIterator<Neighbor> {
    return this.#entries.values();
  }

  /**
   * The entry of a neighbour whose MAC address is known, marked as used. For every frame that is sent: no clock, no
   * allocation.
   */
  use(address: number): Neighbor | undefined {
    const neighbor = this.#entries.get(address | 0);
    if (neighbor === undefined || !isUsable(neighbor)) return undefined;
    neighbor.lastUse = ++this.#uses;
    return neighbor;
  }

  /** Adds an entry that is to be asked for at once; undefined when there is no room. */
  require(address: number, nowMs: number): Neighbor | undefined {
    return this.#add(address, 0, 'incomplete', nowMs, nowMs);
  }

  /** Gives a failed entry another round, at once. */
  retry(neighbor: Neighbor, nowMs: number): void {
    if (neighbor.state !== 'failed') return;
    neighbor.state = 'incomplete';
    neighbor.requests = 0;
    neighbor.dueMs = nowMs;
  }

  /** RFC 826 "Packet Reception": changes an entry that exists already; any ARP packet of the neighbour does. */
  update(address: number, mac: number, nowMs: number): NeighborUpdate {
    const neighbor = this.get(address);
    if (neighbor === undefined) return 'unknown';
    const known = isUsable(neighbor);
    const moved = known && neighbor.mac !== mac;
    neighbor.mac = mac;
    this.#refresh(neighbor, nowMs);
    if (moved) return 'moved';
    return known ? 'refreshed' : 'resolved';
  }

  /** Adds a neighbour that has spoken to us; false when there is no room. */
  insert(address: number, mac: number, nowMs: number): boolean {
    const dueMs = nowMs + this.#timing.reachableMs;
    return this.#add(address, mac, 'reachable', nowMs, dueMs) !== undefined;
  }

  /** Adds or overwrites a neighbour somebody else knows: used at once, verified at the first use. */
  learn(address: number, mac: number, nowMs: number): boolean {
    const dueMs = nowMs + this.#timing.staleMs;
    const neighbor = this.get(address) ?? this.#add(address, mac, 'stale', nowMs, dueMs);
    if (neighbor === undefined) return false;
    neighbor.mac = mac;
    neighbor.state = 'stale';
    neighbor.dueMs = dueMs;
    neighbor.requests = 0;
    return true;
  }

  delete(address: number): boolean {
    return this.#entries.delete(address | 0);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** A stale entry is being used: it has to be verified. */
  verify(neighbor: Neighbor, nowMs: number): void {
    if (neighbor.state !== 'stale') return;
    neighbor.state = 'polling';
    neighbor.requests = 0;
    neighbor.dueMs = nowMs;
  }

  /**
   * Takes the next step of an entry that is due. An entry may be gone afterwards.
   * @returns what the caller has to do; requests are counted as sent
   */
  step(neighbor: Neighbor, nowMs: number): NeighborAction {
    if (neighbor.dueMs > nowMs) return 'none';
    switch (neighbor.state) {
      case 'incomplete':
        return this.#stepIncomplete(neighbor, nowMs);
      case 'polling':
        return this.#stepPolling(neighbor, nowMs);
      case 'reachable':
        this.#stepReachable(neighbor, nowMs);
        return 'none';
      case 'stale':
      case 'failed':
        this.delete(neighbor.address);
        return 'none';
    }
  }

  /** Whether a request may be sent now: RFC 1122 2.3.2.1, or the distance the caller answers for. */
  mayRequest(neighbor: Neighbor, nowMs: number, intervalMs: number): boolean {
    // The sum that timers are set by: the difference may round the other way.
    return nowMs >= neighbor.requestedMs + intervalMs;
  }

  /** The earliest time at which an entry is due; Infinity when none ever is. */
  nextDueMs(): number {
    let earliestMs = Infinity;
    for (const neighbor of this.#entries.values()) {
      if (neighbor.dueMs < earliestMs) earliestMs = neighbor.dueMs;
    }
    return earliestMs;
  }

  #stepIncomplete(neighbor: Neighbor, nowMs: number): NeighborAction {
    const { requestIntervalMs, requestLimit, failedMs } = this.#timing;
    if (neighbor.requests >= requestLimit) {
      neighbor.state = 'failed';
      neighbor.dueMs = nowMs + failedMs;
      return 'give-up';
    }
    return this.#request(neighbor, nowMs, requestIntervalMs, 'ask');
  }

  #stepPolling(neighbor: Neighbor, nowMs: number): NeighborAction {
    const { requestIntervalMs, pollLimit } = this.#timing;
    // RFC 1122 2.3.2.1 (4): advice from the layers above saves the poll.
    if (neighbor.confirmed) {
      this.#refresh(neighbor, nowMs);
      return 'none';
    }
    // RFC 1122 2.3.2.1 (2): delete the entry if no ARP Reply is received from N successive polls.
    if (neighbor.requests >= pollLimit) {
      this.delete(neighbor.address);
      return 'none';
    }
    return this.#request(neighbor, nowMs, requestIntervalMs, 'poll');
  }

  #stepReachable(neighbor: Neighbor, nowMs: number): void {
    if (neighbor.confirmed) {
      this.#refresh(neighbor, nowMs);
      return;
    }
    neighbor.state = 'stale';
    neighbor.dueMs = nowMs + this.#timing.staleMs;
  }

  #request(neighbor: Neighbor, nowMs: number, intervalMs: number, action: 'ask' | 'poll'): NeighborAction {
    neighbor.requests++;
    // A quicker check may have asked in between; then this request of the round counts as sent.
    const may = this.mayRequest(neighbor, nowMs, intervalMs);
    if (may) neighbor.requestedMs = nowMs;
    neighbor.dueMs = nowMs + intervalMs;
    return may ? action : 'none';
  }

  /** RFC 1122 2.3.2.1 (1): the timeout starts again when the source fields of any ARP packet are observed. */
  #refresh(neighbor: Neighbor, nowMs: number): void {
    neighbor.state = 'reachable';
    neighbor.requests = 0;
    neighbor.confirmed = false;
    neighbor.dueMs = nowMs + this.#timing.reachableMs;
  }

  #add(
    address: number,
    mac: number,
    state: NeighborState,
    nowMs: number,
    dueMs: number,
  ): Neighbor | undefined {
    if (this.#entries.size >= this.#timing.cacheEntries && !this.#evict(nowMs)) return undefined;
    const neighbor: Neighbor = {
      address: address >>> 0,
      state,
      mac,
      dueMs,
      requests: 0,
      requestedMs: -Infinity,
      lastUse: 0,
      confirmed: false,
      source: 0,
    };
    this.#entries.set(address | 0, neighbor);
    return neighbor;
  }

  #evict(nowMs: number): boolean {
    let victim: Neighbor | undefined;
    for (const neighbor of this.#entries.values()) {
      if (neighbor.state === 'incomplete') continue;
      if (!this.mayRequest(neighbor, nowMs, this.#timing.requestIntervalMs)) continue;
      if (victim === undefined || neighbor.lastUse < victim.lastUse) victim = neighbor;
      // None ranks lower. In a flood of strangers one of them is found soon.
      if (victim.lastUse === 0) break;
    }
    if (victim === undefined) return false;
    this.evictions++;
    return this.delete(victim.address);
  }
}
