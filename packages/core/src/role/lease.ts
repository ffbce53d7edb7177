// The right to act as main, and the device that enforces it.
//
// A main may act only while its peer cannot have given it up: for as long as the last beat that left is younger than
// the limit. A process that was stopped, a loop that was blocked and a lost carrier all show up as an old beat. The
// check sits where frames leave, so no path around it exists: not a packet, not a timer, not the application.
import {
  DeviceWrapper,
  ETHERNET_HEADER_OCTETS,
  EtherType,
  EthernetView,
  FrameBatch,
  readU16,
  readU32,
  type Clock,
  type FramesHandler,
  type Ipv4Address,
  type LinkDevice,
  type LinkStateHandler,
} from '@rfsis/link';

const TYPE = ETHERNET_HEADER_OCTETS - 2;
// Where the addresses are in an IPv4 or ARP packet
const IPV4_SOURCE = 12;
const IPV4_DESTINATION = 16;
const ARP_SENDER = 14;
const ARP_TARGET = 24;
const ADDRESS_OCTETS = 4;

/** Options of {@link Lease}. */
export interface LeaseOptions {
  readonly clock: Clock;
  /** How old the last beat may be, in milliseconds; less than the peer's shortest timeout. */
  readonly limitMs: number;
  /** Called at the end of the turn in which it was noticed that the lease has run out. */
  readonly onExpired: () => void;
}

/**
 * Valid from a grant until the last beat that left is too old, and then not until it is granted anew. It runs in every
 * role, because a backup that was away must not trust what waits in its buffers either.
 */
export class Lease {
  readonly #options: LeaseOptions;
  #renewedAtMs: number;
  #isValid = true;
  #isNoticed = true;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#renewedAtMs = options.clock.now();
  }

  grant(): void {
    this.#isValid = true;
    this.#renewedAtMs = this.#options.clock.now();
  }

  /** A beat has left. It does not bring an expired lease back. */
  renew(): void {
    this.#renewedAtMs = this.#options.clock.now();
  }

  /** Whether this node may speak and listen for the service address right now. */
  permits(): boolean {
    const nowMs = this.#options.clock.now();
    if (nowMs - this.#renewedAtMs >= this.#options.limitMs) {
      // From here on the next absence is measured.
      this.#renewedAtMs = nowMs;
      this.#isValid = false;
      if (this.#isNoticed) this.#options.clock.defer(this.#options.onExpired);
      this.#isNoticed = false;
    }
    return this.#isValid;
  }

  /** Whether the lease has run out since this was asked last. */
  takeExpiry(): boolean {
    const isNews = !this.#isNoticed;
    this.#isNoticed = true;
    return isNews;
  }
}

/** Frames of or for the service address that were dropped because the lease had run out. */
export interface LeaseCounters {
  heldBackTx: number;
  heldBackRx: number;
}

/** A device for the stack that passes nothing from or to the service address without a valid lease. */
export class LeasedDevice extends DeviceWrapper {
  readonly leaseCounters: LeaseCounters = { heldBackTx: 0, heldBackRx: 0 };
  readonly #lease: Lease;
  readonly #service: number;
  readonly #passed = new FrameBatch();
  readonly #view = new EthernetView();

  constructor(device: LinkDevice, lease: Lease, serviceAddress: Ipv4Address) {
    super(device);
    this.#lease = lease;
    this.#service = serviceAddress.value;
  }

  override open(onFrames: FramesHandler, onLinkState?: LinkStateHandler): void {
    this.device.open((batch) => {
      if (this.#lease.permits()) onFrames(batch);
      else this.#deliverOthers(batch, onFrames);
    }, onLinkState);
  }

  override send(frame: Uint8Array, length?: number): boolean {
    if (!this.#lease.permits() && this.#speaksFor(frame)) {
      this.leaseCounters.heldBackTx++;
      return false;
    }
    return this.device.send(frame, length);
  }

  #deliverOthers(batch: FrameBatch, onFrames: FramesHandler): void {
    const passed = this.#passed;
    passed.clear();
    passed.bytes = batch.bytes;
    for (let index = 0; index < batch.count; index++) {
      const offset = batch.offset(index);
      const length = batch.length(index);
      if (this.#isForService(batch.bytes, offset, length)) this.leaseCounters.heldBackRx++;
      else passed.add(offset, length, batch.checksum(index));
    }
    if (passed.count > 0) onFrames(passed);
  }

  /** The stack sends untagged frames only. */
  #speaksFor(frame: Uint8Array): boolean {
    const type = readU16(frame, TYPE);
    const packet = ETHERNET_HEADER_OCTETS;
    if (type === EtherType.ipv4) return readU32(frame, packet + IPV4_SOURCE) === this.#service;
    return type === EtherType.arp && readU32(frame, packet + ARP_SENDER) === this.#service;
  }

  /** The stack takes priority-tagged frames too. What is too short to be for anybody is the stack's to count. */
  #isForService(bytes: Uint8Array, offset: number, length: number): boolean {
    const view = this.#view;
    if (view.read(bytes, offset, length) !== undefined) return false;
    const isIpv4 = view.etherType === EtherType.ipv4;
    if (!isIpv4 && view.etherType !== EtherType.arp) return false;
    const field = view.payloadOffset + (isIpv4 ? IPV4_DESTINATION : ARP_TARGET);
    return field + ADDRESS_OCTETS <= offset + length && readU32(bytes, field) === this.#service;
  }
}
