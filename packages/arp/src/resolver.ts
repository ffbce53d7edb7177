// From next hop to MAC address: drives the neighbour cache, asks, holds frames meanwhile, tells who waits.
import {
  ETHERNET_HEADER_OCTETS,
  Ipv4Address,
  MacAddress,
  writeU48,
  type Clock,
  type Timer,
} from '@rfsis/link';
import type { ArpSender } from './arp-sender.js';
import type { ArpCounters } from './counters.js';
import { HeldFrames, ipv4Source } from './held-frames.js';
import { isHostAddress, type OwnAddresses } from './host-address.js';
import { isUsable, NeighborCache, type Neighbor } from './neighbor-cache.js';
import type {
  ArpDevice,
  ArpTask,
  HoldLimits,
  NeighborTiming,
  ResolveOptions,
  UnresolvedNeighbor,
} from './options.js';
import { Resolution } from './resolution.js';

/** What {@link ArpEndpoint.transmit} did with a frame. */
export type TransmitResult = 'sent' | 'held' | 'dropped';

/** What the resolver works with. */
export interface ResolverParts {
  readonly device: ArpDevice;
  readonly clock: Clock;
  readonly sender: ArpSender;
  readonly own: OwnAddresses;
  readonly counters: ArpCounters;
  readonly options: NeighborTiming & HoldLimits;
  readonly onUnresolved: ((neighbor: UnresolvedNeighbor) => void) | undefined;
}

/** `resolve` calls at work at once; more get no answer. */
const RESOLUTIONS_MAX = 256;

/** One timer serves the whole cache: it is set to the earliest entry that is due. */
export class Resolver {
  readonly #parts: ResolverParts;
  readonly #device: ArpDevice;
  readonly #clock: Clock;
  readonly #counters: ArpCounters;
  readonly #cache: NeighborCache;
  readonly #held: HeldFrames;
  readonly #resolutions = new Set<Resolution>();
  #timer: Timer | undefined;
  #timerMs = Infinity;
  #closed = false;

  constructor(parts: ResolverParts) {
    this.#parts = parts;
    this.#device = parts.device;
    this.#clock = parts.clock;
    this.#counters = parts.counters;
    this.#cache = new NeighborCache(parts.options);
    this.#held = new HeldFrames(parts.options, parts.counters.txDrops);
  }

  lookup(address: number): number | undefined {
    const neighbor = this.#cache.get(address);
    return neighbor !== undefined && isUsable(neighbor) ? neighbor.mac : undefined;
  }

  neighbors(): IterableIterator<Readonly<Neighbor>> {
    return this.#cache.values();
  }

  transmit(nextHop: number, frame: Uint8Array, length: number): TransmitResult {
    if (length < ETHERNET_HEADER_OCTETS || length > frame.length) return this.#drop('frame-length');
    const neighbor = this.#cache.use(nextHop);
    if (neighbor === undefined) return this.#hold(nextHop, frame, length);
    if (neighbor.state === 'stale') this.#verify(neighbor);
    return this.#sendTo(neighbor.mac, frame, length);
  }

  confirm(address: number): void {
    const neighbor = this.#cache.get(address);
    if (neighbor !== undefined && isUsable(neighbor)) neighbor.confirmed = true;
  }

  learn(address: number, mac: number): void {
    if (this.#closed || this.#parts.own.has(address)) return;
    if (!this.#cache.learn(address, mac, this.#clock.now())) return;
    this.#release(address, mac);
    this.#finish(address, mac, false);
    this.#settle(address);
  }

  forget(address: number): void {
    this.#cache.delete(address);
    this.#held.drop(address, 'neighbor-unresolved');
  }

  /**
   * An ARP packet of a neighbour, already checked.
   * @param toUs whether its target is an address of ours
   * @param answer whether it is a reply to us, which proves that it hears us too
   */
  heard(address: number, mac: number, toUs: boolean, answer: boolean): void {
    const nowMs = this.#clock.now();
    // RFC 826 "Packet Reception": the merge flag.
    const update = this.#cache.update(address, mac, nowMs);
    if (update === 'unknown') {
      // RFC 826: ?Am I the target protocol address? Only then is a new triplet added.
      if (!toUs || !this.#cache.insert(address, mac, nowMs)) return;
    } else if (update === 'moved') this.#counters.moved++;
    else if (update === 'resolved') {
      this.#counters.resolved++;
      this.#release(address, mac);
    }
    this.#finish(address, mac, answer);
    this.#settle(address);
  }

  resolve(address: number, options: ResolveOptions, done: (mac: MacAddress | undefined) => void): ArpTask {
    if (this.#closed) return { cancel: () => undefined };
    const known = options.fresh === true ? undefined : this.lookup(address);
    if (known !== undefined || this.#parts.own.has(address) || this.#resolutions.size >= RESOLUTIONS_MAX) {
      const mac = known === undefined ? undefined : MacAddress.fromNumber(known);
      return this.#clock.defer(() => {
        done(mac);
      });
    }
    const resolution = new Resolution({
      clock: this.#clock,
      address,
      fresh: options.fresh === true,
      timeoutMs: options.timeoutMs,
      intervalMs: options.intervalMs ?? this.#parts.options.requestIntervalMs,
      ask: (each) => this.#ask(each),
      done: (mac) => {
        this.#resolutions.delete(resolution);
        done(mac === undefined ? undefined : MacAddress.fromNumber(mac));
      },
    });
    this.#resolutions.add(resolution);
    resolution.start();
    return {
      cancel: () => {
        this.#resolutions.delete(resolution);
        resolution.cancel();
      },
    };
  }

  /** The address has become ours: it is nobody's neighbour any more. */
  addressAdded(address: number): void {
    this.#cache.delete(address);
    this.#held.drop(address, 'address-changed');
  }

  /** The address is no longer ours: nothing that waits may leave from it. */
  addressRemoved(address: number): void {
    this.#held.dropFrom(address);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const resolution of this.#resolutions) resolution.cancel();
    this.#resolutions.clear();
    this.#held.clear('closed');
    this.#cache.clear();
  }

  #sendTo(mac: number, frame: Uint8Array, length: number): TransmitResult {
    writeU48(frame, 0, mac);
    return this.#device.send(frame, length) ? 'sent' : this.#drop('device-refused');
  }

  #drop(reason: keyof ArpCounters['txDrops']): TransmitResult {
    this.#counters.txDrops[reason]++;
    return 'dropped';
  }

  /** RFC 1122 2.3.2.2: keeps the latest packets to an unresolved address and sends them when it has been resolved. */
  #hold(nextHop: number, frame: Uint8Array, length: number): TransmitResult {
    if (this.#closed) return this.#drop('closed');
    const address = nextHop >>> 0;
    const { own } = this.#parts;
    if (!isHostAddress(address) || own.has(address)) return this.#drop('next-hop-invalid');
    const neighbor = this.#cache.get(address) ?? this.#cache.require(address, this.#clock.now());
    if (neighbor === undefined) return this.#drop('cache-full');
    if (neighbor.state === 'failed') return this.#drop('neighbor-failed');
    const source = ipv4Source(frame, length);
    if (own.has(source)) neighbor.source = source;
    const held = this.#held.hold(address, frame, length);
    if (held) this.#counters.held++;
    this.#step(neighbor);
    this.#settle(address);
    return held ? 'held' : 'dropped';
  }

  #verify(neighbor: Neighbor): void {
    this.#cache.verify(neighbor, this.#clock.now());
    this.#step(neighbor);
    this.#settle(neighbor.address);
  }

  /** A request for a `resolve` call. @returns when the next one may follow; undefined when there is no room */
  #ask(resolution: Resolution): number | undefined {
    const nowMs = this.#clock.now();
    const { address, intervalMs } = resolution;
    const neighbor = this.#cache.get(address) ?? this.#cache.require(address, nowMs);
    if (neighbor === undefined) return undefined;
    this.#cache.retry(neighbor, nowMs);
    this.#step(neighbor);
    this.#settle(address);
    if (resolution.finished) return undefined;
    if (this.#cache.mayRequest(neighbor, nowMs, intervalMs)) {
      neighbor.requestedMs = nowMs;
      // Point to point first, as it disturbs nobody else; broadcast after that, for the MAC address may have changed.
      if (isUsable(neighbor) && resolution.asked === 0) this.#poll(neighbor);
      else this.#broadcast(neighbor);
      resolution.asked++;
    }
    return neighbor.requestedMs + intervalMs;
  }

  #step(neighbor: Neighbor): void {
    switch (this.#cache.step(neighbor, this.#clock.now())) {
      case 'ask':
        this.#broadcast(neighbor);
        break;
      case 'poll':
        this.#poll(neighbor);
        break;
      case 'give-up':
        this.#giveUp(neighbor.address);
        break;
      case 'none':
        break;
    }
  }

  #broadcast(neighbor: Neighbor): void {
    this.#parts.sender.request(this.#parts.own.sourceFor(neighbor.source), neighbor.address);
  }

  #poll(neighbor: Neighbor): void {
    const source = this.#parts.own.sourceFor(neighbor.source);
    this.#parts.sender.poll(neighbor.mac, source, neighbor.address);
  }

  /** Sends what waited for `address`. */
  #release(address: number, mac: number): void {
    const frames = this.#held.take(address);
    if (frames.length > 0) this.#cache.use(address);
    for (const frame of frames) this.#sendTo(mac, frame, frame.length);
  }

  #finish(address: number, mac: number, answer: boolean): void {
    for (const resolution of this.#resolutions) {
      if (resolution.address === address && (answer || !resolution.fresh)) resolution.finish(mac);
    }
  }

  #giveUp(address: number): void {
    const frames = this.#held.take(address);
    this.#counters.unresolved++;
    this.#counters.txDrops['neighbor-unresolved'] += frames.length;
    for (const resolution of this.#resolutions) {
      if (resolution.address === address) resolution.finish(undefined);
    }
    this.#parts.onUnresolved?.({ address: Ipv4Address.fromNumber(address), frames });
  }

  /** After any change of an entry: sees to it that the timer is early enough. */
  #settle(address: number): void {
    this.#counters.evicted = this.#cache.evictions;
    const neighbor = this.#cache.get(address);
    if (neighbor !== undefined) this.#arm(neighbor.dueMs);
  }

  #arm(dueMs: number): void {
    if (this.#closed || dueMs >= this.#timerMs) return;
    this.#timer?.cancel();
    this.#timerMs = dueMs;
    this.#timer = this.#clock.setTimer(Math.max(0, dueMs - this.#clock.now()), () => {
      this.#onTimer();
    });
  }

  #onTimer(): void {
    this.#timerMs = Infinity;
    const nowMs = this.#clock.now();
    for (const neighbor of this.#cache.values()) {
      if (neighbor.dueMs <= nowMs) this.#step(neighbor);
    }
    this.#arm(this.#cache.nextDueMs());
  }
}
