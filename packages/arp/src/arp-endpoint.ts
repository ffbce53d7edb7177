// A host's ARP on one interface: takes packets in and decides what each of them means (RFC 826 "Packet Reception", RFC
// 5227 2.4). Resolving, announcing, probing and defending are done by the parts it is made of.
import { Ipv4Address, isGroupMac, MacAddress, SecureRandom } from '@rfsis/link';
import { Announcer, ANNOUNCE_TAKEOVER, type AnnounceSchedule } from './announcer.js';
import { ArpOperation, ArpView } from './arp-packet.js';
import { ArpSender } from './arp-sender.js';
import { ConflictDefender } from './conflict-defender.js';
import { newArpCounters, type ArpCounters, type ArpRxDrop } from './counters.js';
import { isHostAddress, OwnAddresses, requireHostAddress, requireHostMac } from './host-address.js';
import { isUsable, type NeighborState } from './neighbor-cache.js';
import {
  completeOptions,
  positive,
  type AddressConflict,
  type ArpEndpointOptions,
  type ArpTask,
  type ArpTrust,
  type ResolveOptions,
} from './options.js';
import { Prober, type ProbeConflict, type ProbeResult, type ProbeTiming } from './prober.js';
import { Resolver, type TransmitResult } from './resolver.js';

/** DEFEND_INTERVAL of RFC 5227 1.1. */
const DEFEND_INTERVAL_MS = 10_000;

/** A neighbour, for status displays. */
export interface NeighborStatus {
  readonly address: Ipv4Address;
  /** Undefined while it is not known. */
  readonly mac: MacAddress | undefined;
  readonly state: NeighborState;
}

/**
 * The ARP of one host on one Ethernet segment. It sends through the device, but is handed what was received; several of
 * its kind may share a device. Nothing is remembered without bound: see {@link ArpEndpointOptions}. Callbacks and hooks
 * must not throw; they may call the endpoint.
 */
export class ArpEndpoint {
  /** Counts since the endpoint was made. */
  readonly counters: Readonly<ArpCounters>;
  readonly #counters = newArpCounters();
  readonly #mac: number;
  readonly #own = new OwnAddresses();
  readonly #view = new ArpView();
  readonly #sender: ArpSender;
  readonly #resolver: Resolver;
  readonly #announcer: Announcer;
  readonly #prober: Prober;
  readonly #defender: ConflictDefender;
  readonly #isTrusted: ArpTrust | undefined;
  readonly #onConflict: ((conflict: AddressConflict) => void) | undefined;
  #closed = false;

  /** @throws {ArpError} `RFSIS_ARP_OPTION_INVALID` */
  constructor(options: ArpEndpointOptions) {
    const { device, clock } = options;
    this.counters = this.#counters;
    this.#mac = device.mac.value;
    this.#isTrusted = options.isTrusted;
    this.#onConflict = options.onConflict;
    this.#sender = new ArpSender(device, this.#counters, options.trailer);
    this.#resolver = new Resolver({
      device,
      clock,
      sender: this.#sender,
      own: this.#own,
      counters: this.#counters,
      options: completeOptions(options),
      onUnresolved: options.onUnresolved,
    });
    this.#announcer = new Announcer(clock, this.#sender);
    this.#prober = new Prober(clock, this.#sender, options.random ?? new SecureRandom());
    const intervalMs = positive('defendIntervalMs', options.defendIntervalMs ?? DEFEND_INTERVAL_MS);
    this.#defender = new ConflictDefender(clock, this.#sender, intervalMs, options.onConflict);
  }

  /**
   * Takes one ARP packet: the payload of a frame of EtherType 0x0806, `bytes[offset]` to `bytes[end - 1]`. Never
   * throws; what is of no use is counted under a reason.
   * @param ethernetSource source of the frame as 48-bit integer
   */
  receive(bytes: Uint8Array, offset: number, end: number, ethernetSource: number): void {
    this.#counters.received++;
    const view = this.#view;
    const drop = this.#closed
      ? 'arp-closed'
      : (view.read(bytes, offset, end) ?? this.#refuse(ethernetSource));
    if (drop !== undefined) {
      this.#counters.rxDrops[drop]++;
      return;
    }
    const { senderMac, senderIp, targetIp } = view;
    const isRequest = view.operation === ArpOperation.request;
    this.#count(isRequest, senderMac, senderIp, targetIp, ethernetSource);
    if (this.#findConflict(bytes, offset, end) || this.#closed) return;
    const toUs = this.#own.has(targetIp);
    if (senderIp !== 0) {
      this.#resolver.heard(senderIp, senderMac, toUs, !isRequest && view.targetMac === this.#mac);
    }
    // RFC 826: ?Is the opcode ares_op$REQUEST? RFC 5227 2.5: probes, with sender IP zero, MUST be answered as well.
    // Those whom `heard` told may have changed what is ours: look again.
    if (isRequest && toUs && this.#own.has(targetIp)) this.#sender.reply(targetIp, senderMac, senderIp);
  }

  /**
   * From now on answers requests for `address`, watches it for conflicts and defends it. Does not announce it.
   * @throws {ArpError} `RFSIS_ARP_ADDRESS_INVALID`
   */
  addAddress(address: Ipv4Address): void {
    requireHostAddress(address);
    this.#own.add(address.value);
    this.#resolver.addressAdded(address.value);
  }

  /** Stops at once: no answer, announcement, defence or held frame from `address` leaves after this call. */
  removeAddress(address: Ipv4Address): void {
    this.#own.delete(address.value);
    this.#announcer.stop(address.value);
    this.#defender.stop(address.value);
    this.#resolver.addressRemoved(address.value);
  }

  /** The MAC address of a neighbour as 48-bit integer, when it is known: reachable, stale or being polled. */
  lookup(nextHop: number): number | undefined {
    return this.#resolver.lookup(nextHop);
  }

  /** Advice from the layers above (RFC 1122 2.3.2.1 (4)): traffic through `nextHop` makes progress, no poll is needed. */
  confirm(nextHop: number): void {
    this.#resolver.confirm(nextHop);
  }

  /**
   * Installs what another layer knows of a neighbour; it is used at once and verified by a poll when it is first used.
   * @throws {ArpError} `RFSIS_ARP_ADDRESS_INVALID`
   */
  learn(address: Ipv4Address, mac: MacAddress): void {
    requireHostAddress(address);
    requireHostMac(mac);
    this.#resolver.learn(address.value, mac.value);
  }

  /** Forgets a neighbour, and drops what is held for it. */
  forget(address: Ipv4Address): void {
    this.#resolver.forget(address.value);
  }

  /** The neighbours now, for status displays. */
  neighbors(): NeighborStatus[] {
    return [...this.#resolver.neighbors()].map((neighbor) => ({
      address: Ipv4Address.fromNumber(neighbor.address),
      mac: isUsable(neighbor) ? MacAddress.fromNumber(neighbor.mac) : undefined,
      state: neighbor.state,
    }));
  }

  /**
   * Sends the first `length` octets of `frame`, a complete Ethernet frame but for its destination MAC, which is written
   * here. At once when the neighbour is known; else a copy is held while a request goes out, and sent when it is
   * answered. Never throws and, for a known neighbour, allocates nothing. What is dropped, now or later, is counted.
   * @param nextHop 32-bit address of the neighbour
   */
  transmit(nextHop: number, frame: Uint8Array, length: number = frame.length): TransmitResult {
    return this.#resolver.transmit(nextHop, frame, length);
  }

  /**
   * Announces an address of ours (RFC 5227 2.3), the first time within this call where the schedule begins with 0. A
   * schedule that is running for the address is replaced.
   * @returns false, and nothing is sent, when the address is not ours
   * @throws {ArpError} `RFSIS_ARP_OPTION_INVALID`
   */
  announce(address: Ipv4Address, schedule: AnnounceSchedule = ANNOUNCE_TAKEOVER): boolean {
    if (this.#closed || !this.#own.has(address.value)) return false;
    this.#announcer.start(address.value, schedule);
    return true;
  }

  /**
   * Finds out whether anybody has `address` or probes for it too (RFC 5227 2.1). `done` is called once, later.
   * @throws {ArpError} `RFSIS_ARP_ADDRESS_INVALID`, `RFSIS_ARP_OPTION_INVALID`
   */
  probe(address: Ipv4Address, timing: ProbeTiming, done: (result: ProbeResult) => void): ArpTask {
    requireHostAddress(address);
    if (this.#closed) return { cancel: () => undefined };
    return this.#prober.start(address.value, timing, done);
  }

  /**
   * Finds the MAC address of a neighbour, or learns that it does not answer. `done` is called once, later; not after
   * `close`. At most 256 calls are served at once, more get undefined.
   * @throws {ArpError} `RFSIS_ARP_ADDRESS_INVALID`, `RFSIS_ARP_OPTION_INVALID`
   */
  resolve(
    address: Ipv4Address,
    options: ResolveOptions,
    done: (mac: MacAddress | undefined) => void,
  ): ArpTask {
    requireHostAddress(address);
    positive('timeoutMs', options.timeoutMs);
    if (options.intervalMs !== undefined) positive('intervalMs', options.intervalMs);
    return this.#resolver.resolve(address.value, options, done);
  }

  /** Stops everything, for good. No callback is called after this. May be called twice. */
  close(): void {
    this.#closed = true;
    this.#own.clear();
    this.#announcer.close();
    this.#defender.close();
    this.#prober.close();
    this.#resolver.close();
  }

  /** What makes a packet unusable whose form is in order. */
  #refuse(ethernetSource: number): ArpRxDrop | undefined {
    const { operation, senderMac, senderIp } = this.#view;
    if (operation !== ArpOperation.request && operation !== ArpOperation.reply) return 'arp-operation';
    // RFC 5227 2.1.1, 2.4: packets of our own that come back are no conflict.
    if (senderMac === this.#mac || ethernetSource === this.#mac) return 'arp-own-frame';
    if (senderMac === 0 || isGroupMac(senderMac)) return 'arp-sender-mac';
    const isProbe = senderIp === 0 && operation === ArpOperation.request;
    return isProbe || isHostAddress(senderIp) ? undefined : 'arp-sender-ip';
  }

  #count(
    isRequest: boolean,
    senderMac: number,
    senderIp: number,
    targetIp: number,
    ethernetSource: number,
  ): void {
    const counters = this.#counters;
    counters.accepted++;
    if (isRequest) counters.requestsReceived++;
    else counters.repliesReceived++;
    if (senderIp === 0) counters.probesReceived++;
    else if (senderIp === targetIp) counters.announcementsReceived++;
    // RFC 826 trusts the packet, not the frame: proxies and bridges may differ.
    if (senderMac !== ethernetSource) counters.proxied++;
  }

  /** Deals with a packet that touches an address of ours or one being probed. @returns whether nothing else is to be done */
  #findConflict(bytes: Uint8Array, offset: number, end: number): boolean {
    const { senderIp, targetIp, senderMac } = this.#view;
    const by: ProbeConflict['by'] = senderIp === 0 ? 'prober' : 'holder';
    const claimed = by === 'prober' ? targetIp : senderIp;
    const isProbed = this.#prober.isProbing(claimed);
    // RFC 5227 2.4: a sender IP of ours with another MAC is a conflict. A mere probe is answered instead.
    const isOwn = by === 'holder' && this.#own.has(claimed);
    if (!isProbed && !isOwn) return false;
    const trusted = this.#isTrusted?.(bytes, offset, end) === true;
    if (trusted) this.#counters.trusted++;
    else this.#counters.conflicts++;
    if (isProbed) this.#endProbe(claimed, senderMac, by, trusted);
    if (isOwn && !trusted) this.#defender.conflict(claimed, senderMac);
    return isOwn;
  }

  /** RFC 5227 2.1.1: any packet from the address, or a probe for it by somebody else, is a conflict. */
  #endProbe(address: number, mac: number, by: ProbeConflict['by'], trusted: boolean): void {
    if (!trusted) {
      this.#onConflict?.({
        address: Ipv4Address.fromNumber(address),
        mac: MacAddress.fromNumber(mac),
        kind: 'probe',
        packets: 1,
      });
    }
    this.#prober.conflict(address, mac, by, trusted);
  }
}
