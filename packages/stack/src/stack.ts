// The stack: a device below, ARP, IPv4, ICMP and UDP above it, and what concerns all of them.
import { ArpEndpoint } from '@rfsis/arp';
import {
  ETHERNET_HEADER_OCTETS,
  EthernetView,
  EtherType,
  type Clock,
  type FrameBatch,
  Ipv4Cidr,
  Ipv4Address,
  isGroupMac,
  type LinkDevice,
} from '@rfsis/link';
import {
  type EthernetCounters,
  type EthernetRxDrop,
  newEthernetCounters,
  type StackCounters,
} from './counters.js';
import { StackError } from './errors.js';
import { IcmpLayer } from './icmp/icmp-layer.js';
import type { PingOptions, PingReply } from './icmp/pinger.js';
import { Ipv4Layer } from './ipv4/ipv4-layer.js';
import { type StackOptions, stackLimits } from './options.js';
import { SourceGuard } from './source-guard.js';
import { UdpLayer } from './udp/udp-layer.js';

/** RFC 791: every internet module must be able to forward a datagram of 68 octets without fragmenting it. */
const LEAST_MTU = 68;

const DEFAULT_ROUTE = new Ipv4Cidr(Ipv4Address.ANY, 0);

/**
 * An IPv4 host on one Ethernet device. It is silent until it has an address.
 *
 * Everything happens within calls: of the device with received frames, of timers, of the application. Nothing leaves
 * with a source address that is not one of its own at that moment.
 */
export class Stack {
  readonly clock: Clock;
  readonly arp: ArpEndpoint;
  /** For protocols above IPv4. */
  readonly ipv4: Ipv4Layer;
  readonly icmp: IcmpLayer;
  readonly udp: UdpLayer;
  readonly counters: StackCounters;
  readonly #device: LinkDevice;
  readonly #ethernet: EthernetCounters = newEthernetCounters();
  readonly #view = new EthernetView();
  #state: 'new' | 'open' | 'closed' = 'new';

  /** @throws {StackError} `RFSIS_STACK_OPTION_INVALID` */
  constructor(options: StackOptions) {
    const { device, clock, random, arp } = options;
    const limits = stackLimits(options);
    if (device.mtu < LEAST_MTU) {
      throw new StackError(
        'RFSIS_STACK_OPTION_INVALID',
        `${device.name} has an MTU of ${device.mtu}: IPv4 needs at least ${LEAST_MTU}`,
      );
    }
    this.clock = clock;
    this.#device = device;
    const guard = new SourceGuard(
      device,
      (address) => this.ipv4.addresses.owns(address),
      () => {
        this.ipv4.counters.txRevoked++;
      },
    );
    this.arp = new ArpEndpoint({
      random,
      ...arp,
      device: guard,
      clock,
      onUnresolved: (neighbor) => {
        arp?.onUnresolved?.(neighbor);
        // Not now: this may be in the middle of sending.
        clock.defer(() => {
          if (this.#state !== 'open') return;
          for (const frame of neighbor.frames) this.icmp.nextHopUnreachable(frame);
        });
      },
    });
    this.ipv4 = new Ipv4Layer({ device: guard, arp: this.arp, clock, random, limits });
    this.icmp = new IcmpLayer(this.ipv4, clock, random, limits);
    this.udp = new UdpLayer({
      ipv4: this.ipv4,
      device,
      clock,
      random,
      limits,
      acceptPartialChecksums: options.acceptPartialChecksums ?? true,
      portUnreachable: (packet) => {
        this.icmp.portUnreachable(packet);
      },
    });
    this.counters = {
      ethernet: this.#ethernet,
      arp: this.arp.counters,
      ipv4: this.ipv4.counters,
      icmp: this.icmp.counters,
      udp: this.udp.counters,
    };
    this.setGateway(options.gateway);
  }

  /**
   * Opens the device and begins to receive.
   * @throws {StackError} `RFSIS_STACK_STATE`; {@link LinkError} of the device
   */
  open(): void {
    if (this.#state !== 'new') {
      throw new StackError('RFSIS_STACK_STATE', `this stack is ${this.#state} already: make a new one`);
    }
    this.#device.open((batch) => {
      this.#receive(batch);
    });
    this.#state = 'open';
  }

  /** Closes sockets and device, ends pings, cancels timers; for good. May be called twice. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.udp.close();
    this.icmp.close();
    this.ipv4.close();
    this.arp.close();
    this.#device.close();
  }

  /** The addresses of this host, in the order in which they were added. */
  get addresses(): readonly Ipv4Cidr[] {
    return this.ipv4.addresses.list;
  }

  /** Whether a 32-bit address is one of this host. */
  hasAddress(value: number): boolean {
    return this.ipv4.addresses.owns(value);
  }

  /**
   * From now on this host has the address, answers ARP requests for it and sends from it. It is not announced: see
   * `arp.announce`. The first address of a network is the one datagrams into that network are sent from by default.
   * @throws {StackError} `RFSIS_STACK_ADDRESS_INVALID`, `RFSIS_STACK_ADDRESS_PREFIX`, `RFSIS_STACK_LIMIT`
   */
  addAddress(cidr: Ipv4Cidr): void {
    if (!this.ipv4.addresses.add(cidr)) return;
    this.ipv4.addressesChanged();
    this.arp.addAddress(cidr.address);
  }

  /**
   * Gives the address up. After this call nothing is sent on its behalf: no datagram, no answer to ARP, no frame that
   * was waiting for ARP; fragments sent to it are forgotten. Sockets bound to it stay, and wait for it to come back.
   */
  removeAddress(address: Ipv4Address): void {
    if (!this.ipv4.addresses.remove(address)) return;
    this.arp.removeAddress(address);
    this.ipv4.addressesChanged(address.value);
  }

  /** Where datagrams for other networks go; undefined for nowhere. */
  setGateway(gateway: Ipv4Address | undefined): void {
    if (gateway === undefined) this.ipv4.routes.remove(DEFAULT_ROUTE);
    else this.ipv4.routes.add(DEFAULT_ROUTE, gateway);
  }

  /**
   * Sends an ICMP echo request and waits for the reply. Rejects with a {@link StackError}: `RFSIS_STACK_PING_TIMEOUT`,
   * `RFSIS_STACK_PING_UNREACHABLE`, `RFSIS_STACK_PING_UNSENT`.
   */
  ping(address: Ipv4Address, options: PingOptions = {}): Promise<PingReply> {
    return this.icmp.ping(address, options);
  }

  #receive(batch: FrameBatch): void {
    const { bytes, count } = batch;
    for (let index = 0; index < count; index++) {
      const offset = batch.offset(index);
      const length = batch.length(index);
      this.#ethernet.rxFrames++;
      this.#ethernet.rxOctets += length;
      const drop = this.#receiveFrame(batch, index, bytes, offset, length);
      if (drop !== undefined) this.#ethernet.rxDrops[drop]++;
    }
  }

  #receiveFrame(
    batch: FrameBatch,
    index: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
  ): EthernetRxDrop | undefined {
    if (this.#state !== 'open') return 'closed';
    const frame = this.#view;
    const defect = frame.read(bytes, offset, length);
    if (defect !== undefined) return defect;
    const { destination, source, etherType, payloadOffset } = frame;
    const inGroupFrame = isGroupMac(destination);
    if (!inGroupFrame && destination !== this.#device.mac.value) return 'mac-foreign';
    if (isGroupMac(source)) return 'mac-source';
    if (frame.vlanId !== 0) return 'vlan';
    const end = offset + length;
    if (etherType === EtherType.ipv4) {
      this.#ethernet.rxIpv4++;
      if (length > this.#device.mtu + ETHERNET_HEADER_OCTETS) this.#ethernet.rxSuperFrames++;
      this.ipv4.receive(bytes, payloadOffset, end, inGroupFrame, batch.checksum(index));
      return undefined;
    }
    if (etherType === EtherType.arp) {
      this.#ethernet.rxArp++;
      this.arp.receive(bytes, payloadOffset, end, source);
      return undefined;
    }
    return 'ethertype';
  }
}
