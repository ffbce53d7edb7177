// IPv4 of a host: input up to the protocols; output is in transmitter.ts. It forwards nothing.
import { ChecksumState, type Clock, isMulticastIpv4, type Random } from '@rfsis/link';
import {
  AddressTable,
  isLoopbackIpv4,
  LIMITED_BROADCAST,
  LOOPBACK_ADDRESS,
  type Scope,
} from './addresses.js';
import { newIpv4Counters, type Ipv4Counters, type Ipv4RxDrop } from './counters.js';
import { Identification } from './identification.js';
import { LoopbackQueue } from './loopback.js';
import { PathMtuTable, type PathMtuLimits } from './path-mtu.js';
import { InboundPacket, type Ipv4Protocol } from './protocol.js';
import { Reassembler, type ReassemblyLimits } from './reassembler.js';
import { RouteTable } from './routes.js';
import { Transmitter, type SendOutcome, type TransmitOptions, type TransmitterParts } from './transmitter.js';
import { StackError } from '../errors.js';

/** Times and limits of {@link Ipv4Layer}. */
export interface Ipv4Limits extends PathMtuLimits, ReassemblyLimits {
  /** Addresses of this host; adding more is an error. Default 64. */
  readonly addressLimit: number;
  /** Configured routes; adding more is an error. Default 64. */
  readonly routeLimit: number;
  /** Octets on their way from this host to itself; more are dropped. Default 4 MiB. */
  readonly loopbackOctets: number;
}

/** Who tells senders about datagrams that came to nothing: ICMP. */
export interface ErrorSender {
  /** RFC 1122 3.2.2.1: Destination Unreachable, code 2. */
  protocolUnreachable(packet: InboundPacket): void;
  /** RFC 1122 3.3.2: Time Exceeded, code 1; `packet` is the first fragment. */
  reassemblyTimedOut(packet: InboundPacket): void;
}

/** What an {@link Ipv4Layer} is made of. */
export interface Ipv4LayerOptions {
  readonly device: TransmitterParts['device'];
  readonly arp: TransmitterParts['arp'];
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Ipv4Limits;
}

export class Ipv4Layer {
  readonly addresses: AddressTable;
  readonly routes: RouteTable;
  readonly pathMtu: PathMtuTable;
  readonly identification: Identification;
  readonly reassembler: Reassembler;
  readonly counters: Ipv4Counters;
  readonly transmitter: Transmitter;
  readonly #protocols: (Ipv4Protocol | undefined)[] = new Array<Ipv4Protocol | undefined>(256).fill(
    undefined,
  );
  readonly #loopback: LoopbackQueue;
  readonly #inbound = new InboundPacket();
  /** A datagram put together is read while the last fragment is still being handled. */
  readonly #reassembled = new InboundPacket();
  #errors: ErrorSender | undefined;

  constructor(options: Ipv4LayerOptions) {
    const { clock, random, limits, device, arp } = options;
    this.addresses = new AddressTable(limits.addressLimit);
    this.routes = new RouteTable(limits.routeLimit);
    this.pathMtu = new PathMtuTable(clock, device.mtu, limits);
    this.identification = new Identification(random);
    this.reassembler = new Reassembler(clock, limits, (bytes, offset, end) => {
      this.#reassemblyTimedOut(bytes, offset, end);
    });
    this.counters = newIpv4Counters(this.reassembler.counters);
    this.#loopback = new LoopbackQueue(clock, limits.loopbackOctets, (datagram) => {
      this.counters.rxLoopback++;
      this.#receive(datagram, 0, datagram.length, false, true, ChecksumState.valid);
    });
    this.transmitter = new Transmitter({
      device,
      arp,
      addresses: this.addresses,
      routes: this.routes,
      pathMtu: this.pathMtu,
      identification: this.identification,
      loopback: this.#loopback,
      counters: this.counters,
    });
  }

  /**
   * Plugs a protocol in.
   * @throws {StackError} `RFSIS_STACK_STATE` when there is one of that number
   */
  register(protocol: Ipv4Protocol): void {
    if (this.#protocols[protocol.number] !== undefined) {
      throw new StackError('RFSIS_STACK_STATE', `IP protocol ${protocol.number} is registered already`);
    }
    this.#protocols[protocol.number] = protocol;
  }

  protocol(number: number): Ipv4Protocol | undefined {
    return this.#protocols[number];
  }

  setErrorSender(sender: ErrorSender): void {
    this.#errors = sender;
  }

  /** The addresses have changed; `removed` is no longer ours. */
  addressesChanged(removed?: number): void {
    this.routes.setAddresses(this.addresses.list);
    if (removed !== undefined) this.reassembler.abandon(removed);
  }

  /**
   * The address that datagrams to `destination` are sent from unless the sender says otherwise: for a destination on a
   * network of ours, the address first added with that network; behind a gateway, the one first added with the
   * gateway's network.
   * @returns 32-bit; 0 when there is no route
   */
  selectSource(destination: number): number {
    if (this.addresses.owns(destination)) return destination;
    if (isLoopbackIpv4(destination)) return LOOPBACK_ADDRESS;
    const route = this.routes.lookup(destination);
    if (route !== undefined) return route.source;
    // RFC 1122 3.3.4.2: multicasts and limited broadcasts go out of the only interface without a route.
    if (destination !== LIMITED_BROADCAST && !isMulticastIpv4(destination)) return 0;
    return this.addresses.list[0]?.address.value ?? 0;
  }

  /** The longest payload that goes to `destination` in one piece. */
  payloadLimit(destination: number): number {
    return this.pathMtu.get(destination) - 20;
  }

  /** {@link Transmitter.send} */
  send(
    source: number,
    destination: number,
    protocol: number,
    length: number,
    options: TransmitOptions,
  ): SendOutcome {
    return this.transmitter.send(source, destination, protocol, length, options);
  }

  /**
   * Takes in one Ethernet payload: `bytes[offset]` to `bytes[end - 1]`. Never throws.
   * @param inGroupFrame whether the frame was a broadcast or multicast
   */
  receive(bytes: Uint8Array, offset: number, end: number, inGroupFrame: boolean, state: ChecksumState): void {
    this.#receive(bytes, offset, end, inGroupFrame, false, state);
  }

  /** Forgets what is waiting; no timer is left. */
  close(): void {
    this.#loopback.clear();
    this.reassembler.clear();
    this.pathMtu.clear();
  }

  #receive(
    bytes: Uint8Array,
    offset: number,
    end: number,
    inGroupFrame: boolean,
    viaLoopback: boolean,
    state: ChecksumState,
  ): void {
    const packet = this.#inbound;
    this.counters.rxPackets++;
    const defect = packet.read(bytes, offset, end);
    if (defect !== undefined) {
      this.#drop(defect);
      return;
    }
    const scope = viaLoopback ? this.#localScope(packet) : this.addresses.scope(packet.destination);
    const drop = this.#refusal(packet, scope, inGroupFrame, viaLoopback);
    if (drop !== undefined) {
      this.#drop(drop);
      return;
    }
    packet.scope = scope as InboundPacket['scope'];
    packet.inGroupFrame = inGroupFrame;
    packet.viaLoopback = viaLoopback;
    if (packet.headerLength > 20) this.counters.rxWithOptions++;
    if (packet.isFragment) this.#receiveFragment(packet, bytes);
    else this.#deliver(packet, bytes, packet.payloadOffset, packet.payloadEnd, state);
  }

  /** The address may have been removed since the datagram was sent. */
  #localScope(packet: InboundPacket): Scope {
    return this.addresses.isLocal(packet.destination) ? 'unicast' : 'foreign';
  }

  #refusal(
    packet: InboundPacket,
    scope: Scope,
    inGroupFrame: boolean,
    viaLoopback: boolean,
  ): Ipv4RxDrop | undefined {
    // RFC 1122 3.2.1.3: a host MUST silently discard a datagram that is not destined for it.
    if (scope === 'foreign') return 'destination-foreign';
    if (viaLoopback) return undefined;
    const { source } = packet;
    // RFC 1122 3.2.1.3: ... and one with a source address that is invalid by the rules of that section.
    if (!this.addresses.isValidSource(source)) return 'source-invalid';
    if (this.addresses.owns(source)) return 'source-own';
    // RFC 1122 3.3.6: in a link-layer broadcast only IP broadcasts and multicasts are taken.
    return inGroupFrame && scope === 'unicast' ? 'unicast-in-group-frame' : undefined;
  }

  #receiveFragment(packet: InboundPacket, bytes: Uint8Array): void {
    const result = this.reassembler.add(packet, bytes);
    if (typeof result === 'string') {
      this.#drop(result);
      return;
    }
    this.counters.rxFragments++;
    if (result === undefined) return;
    this.counters.rxReassembled++;
    const whole = this.#reassembled;
    if (whole.read(result.buffer, result.datagramOffset, result.datagramEnd) === undefined) {
      whole.scope = packet.scope;
      whole.inGroupFrame = packet.inGroupFrame;
      whole.viaLoopback = packet.viaLoopback;
      // Fragments have no checksum of their own: the device knows nothing about that of the datagram.
      this.#deliver(whole, result.buffer, whole.payloadOffset, whole.payloadEnd, ChecksumState.unknown);
    }
    this.reassembler.release(result);
  }

  #deliver(
    packet: InboundPacket,
    bytes: Uint8Array,
    offset: number,
    end: number,
    state: ChecksumState,
  ): void {
    const protocol = this.#protocols[packet.protocol];
    if (protocol === undefined) {
      this.#drop('protocol-unknown');
      this.#errors?.protocolUnreachable(packet);
      return;
    }
    this.counters.rxDelivered++;
    protocol.receive(packet, bytes, offset, end, state);
  }

  #reassemblyTimedOut(bytes: Uint8Array, offset: number, end: number): void {
    const packet = this.#reassembled;
    if (packet.read(bytes, offset, end) !== undefined) return;
    const scope = this.addresses.scope(packet.destination);
    if (scope === 'foreign') return;
    packet.scope = scope;
    packet.inGroupFrame = false;
    packet.viaLoopback = false;
    this.#errors?.reassemblyTimedOut(packet);
  }

  #drop(reason: Ipv4RxDrop): void {
    this.counters.rxDrops[reason]++;
  }
}
