// What an ARP endpoint is told: its seams, limits, times and hooks.
import type { Clock, Ipv4Address, LinkDevice, MacAddress, Random } from '@rfsis/link';
import { ArpError } from './errors.js';

/** What the octets of a trailer will be appended to. */
export type TrailerKind = 'announcement' | 'defence' | 'probe';

/**
 * Gives octets to append to an ARP packet of ours, or undefined for none.
 * @param body the {@link ARP_OCTETS} octets of the packet, so that an authentication code can cover them; valid only
 *   during the call
 */
export type ArpTrailer = (body: Uint8Array, kind: TrailerKind) => Uint8Array | undefined;

/**
 * Whether a received packet that claims an address of ours carries proof that it comes from a friend (in RFSIS: the
 * peer's trailer). `offset` is that of the ARP packet, `end` that of the end of the frame.
 */
export type ArpTrust = (bytes: Uint8Array, offset: number, end: number) => boolean;

/** A foreign host uses an address of ours, or one that we were probing. */
export interface AddressConflict {
  readonly address: Ipv4Address;
  /** Who claims it. */
  readonly mac: MacAddress;
  /** `probe`: found before we used it (RFC 5227 2.1.1); `ongoing`: while we use it (2.4). */
  readonly kind: 'probe' | 'ongoing';
  /** Conflicting packets since the last report for this address, this one included. */
  readonly packets: number;
}

/** A neighbour was given up. */
export interface UnresolvedNeighbor {
  readonly address: Ipv4Address;
  /** The Ethernet frames that were held for it, oldest first; they belong to the receiver of this report. */
  readonly frames: readonly Uint8Array[];
}

/** Times and limits of the neighbour cache. */
export interface NeighborTiming {
  /** How long a neighbour counts as reachable after it was heard; then it is stale. Default 60,000. */
  readonly reachableMs: number;
  /** How long a stale neighbour that is not sent to is kept. Default 600,000. */
  readonly staleMs: number;
  /** Least time between two requests for one address. Default 1,000: the limit of RFC 1122 2.3.2.1. */
  readonly requestIntervalMs: number;
  /** Unanswered broadcast requests before a neighbour is given up. Default 3. */
  readonly requestLimit: number;
  /** Unanswered unicast polls before a stale neighbour is forgotten. Default 2 (RFC 1122 2.3.2.1 (2)). */
  readonly pollLimit: number;
  /** How long frames for a neighbour that was given up are dropped at once, before it is tried again. Default 1,000. */
  readonly failedMs: number;
  /** Neighbours remembered. At the limit those never sent to go first, then the least recently used. Default 1,024. */
  readonly cacheEntries: number;
}

/** Bounds on frames that wait for a neighbour to answer. */
export interface HoldLimits {
  /** Frames held for one address; at the limit the oldest is dropped. Default 64. */
  readonly heldFrames: number;
  /** Octets held for all addresses together; at the limit the oldest of the same address go. Default 262,144. */
  readonly heldOctets: number;
}

/** What an ARP endpoint uses of a device. */
export type ArpDevice = Pick<LinkDevice, 'mac' | 'mtu' | 'send'>;

/** Options of {@link ArpEndpoint}. */
export interface ArpEndpointOptions extends Partial<NeighborTiming>, Partial<HoldLimits> {
  /** Only sent to; somebody else opens it and hands ARP payloads to {@link ArpEndpoint.receive}. */
  readonly device: ArpDevice;
  readonly clock: Clock;
  /** For the random waits of probing; default: secure. */
  readonly random?: Random | undefined;
  /**
   * Least time between two defences of one address (DEFEND_INTERVAL of RFC 5227). Default 10,000; a pair that must get
   * its clients back sooner sets less.
   */
  readonly defendIntervalMs?: number;
  readonly trailer?: ArpTrailer | undefined;
  readonly isTrusted?: ArpTrust | undefined;
  /** Called at most once per address and defend interval for ongoing conflicts, once per failed probe. */
  readonly onConflict?: ((conflict: AddressConflict) => void) | undefined;
  readonly onUnresolved?: ((neighbor: UnresolvedNeighbor) => void) | undefined;
}

/** Something under way that can be called off. */
export interface ArpTask {
  /** The callback is not called any more; harmless when it has been. */
  cancel(): void;
}

/** Options of {@link ArpEndpoint.resolve}. */
export interface ResolveOptions {
  /** When to give up, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether only an answer given from now on counts, cached or not. Default false. */
  readonly fresh?: boolean;
  /**
   * Time between requests. Default and recommended maximum rate: `requestIntervalMs` (RFC 1122 2.3.2.1). A check that
   * must be quick (a witness during takeover) may go down to 10 on its own responsibility.
   */
  readonly intervalMs?: number;
}

/** The defaults of {@link NeighborTiming} and {@link HoldLimits}. */
export const ARP_DEFAULTS: NeighborTiming & HoldLimits = {
  reachableMs: 60_000,
  staleMs: 600_000,
  requestIntervalMs: 1000,
  requestLimit: 3,
  pollLimit: 2,
  failedMs: 1000,
  cacheEntries: 1024,
  heldFrames: 64,
  heldOctets: 262_144,
};

/** Fills in defaults. @throws {ArpError} `RFSIS_ARP_OPTION_INVALID` for what is no positive finite number */
export function completeOptions(options: ArpEndpointOptions): NeighborTiming & HoldLimits {
  const complete = { ...ARP_DEFAULTS };
  for (const key of Object.keys(ARP_DEFAULTS) as (keyof typeof ARP_DEFAULTS)[]) {
    complete[key] = positive(key, options[key] ?? ARP_DEFAULTS[key]);
  }
  return complete;
}

/** @throws {ArpError} `RFSIS_ARP_OPTION_INVALID` */
export function positive(name: string, value: number): number {
  if (value > 0 && value < Infinity) return value;
  throw new ArpError('RFSIS_ARP_OPTION_INVALID', `${name} is ${value}: expected a positive finite number`);
}
