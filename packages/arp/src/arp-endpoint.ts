// A host's ARP.
import type { Ipv4Address, MacAddress } from '@rfsis/link';
import { ANNOUNCE_TAKEOVER, type AnnounceSchedule } from './announcer.js';
import { newArpCounters, type ArpCounters } from './counters.js';
import type { NeighborState } from './neighbor-cache.js';
import type { ArpEndpointOptions, ArpTask, ResolveOptions } from './options.js';
import type { ProbeResult, ProbeTiming } from './prober.js';

/** What {@link ArpEndpoint.transmit} did with a frame. */
export type TransmitResult = 'sent' | 'held' | 'dropped';

/** A neighbour, for status displays. */
export interface NeighborStatus {
  readonly address: Ipv4Address;
  /** Undefined while incomplete or failed. */
  readonly mac: MacAddress | undefined;
  readonly state: NeighborState;
}

export class ArpEndpoint {
  readonly counters: Readonly<ArpCounters> = newArpCounters();

  constructor(_options: ArpEndpointOptions) {
    // signatures first
  }

  /** One ARP payload of a received frame: `bytes[offset]` to `bytes[end - 1]`. Never throws. */
  receive(_bytes: Uint8Array, _offset: number, _end: number, _ethernetSource: number): void {
    // signatures first
  }

  /** From now on answers requests for `address`, watches it for conflicts and defends it. Does not announce it. */
  addAddress(_address: Ipv4Address): void {
    // signatures first
  }

  /** Stops at once: no answer, announcement, defence or held frame from `address` leaves after this call. */
  removeAddress(_address: Ipv4Address): void {
    // signatures first
  }

  /** The MAC address of a neighbour as 48-bit integer, when it is known (reachable or stale). */
  lookup(_nextHop: number): number | undefined {
    return undefined;
  }

  /** Forward progress through `nextHop` (RFC 1122 2.3.2.1 (4)): it is reachable, no poll is needed. */
  confirm(_nextHop: number): void {
    // signatures first
  }

  /** Installs what another layer knows about a neighbour; used at once, verified at the first use. */
  learn(_address: Ipv4Address, _mac: MacAddress): void {
    // signatures first
  }

  /** Forgets a neighbour. */
  forget(_address: Ipv4Address): void {
    // signatures first
  }

  neighbors(): NeighborStatus[] {
    return [];
  }

  /**
   * Sends a complete Ethernet frame whose destination MAC is filled in here: at once when it is known, else a copy is
   * held while a request goes out.
   */
  transmit(_nextHop: number, _frame: Uint8Array, _length: number): TransmitResult {
    return 'dropped';
  }

  announce(_address: Ipv4Address, _schedule: AnnounceSchedule = ANNOUNCE_TAKEOVER): boolean {
    return false;
  }

  probe(_address: Ipv4Address, _timing: ProbeTiming, _done: (result: ProbeResult) => void): ArpTask {
    return { cancel: () => undefined };
  }

  resolve(
    _address: Ipv4Address,
    _options: ResolveOptions,
    _done: (mac: MacAddress | undefined) => void,
  ): ArpTask {
    return { cancel: () => undefined };
  }

  close(): void {
    // signatures first
  }
}
