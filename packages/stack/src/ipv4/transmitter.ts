// IPv4 output: from a payload in the transmit buffer to frames, whole or in fragments (RFC 791 2.3, RFC 1191).
import type { ArpEndpoint } from '@rfsis/arp';
import {
  emitEthernetHeader,
  ETHERNET_HEADER_OCTETS,
  ETHERNET_MIN_OCTETS,
  EtherType,
  isMulticastIpv4,
  type LinkDevice,
  writeU48,
} from '@rfsis/link';
import type { AddressTable } from './addresses.js';
import type { Ipv4Counters, Ipv4TxDrop } from './counters.js';
import type { Identification } from './identification.js';
import type { LoopbackQueue } from './loopback.js';
import { emitIpv4Fields, IPV4_HEADER_OCTETS, IPV4_MAX_OCTETS, Ipv4Flag } from './packet.js';
import type { PathMtuTable } from './path-mtu.js';
import type { RouteTable } from './routes.js';

const IP = ETHERNET_HEADER_OCTETS;
/** Where the payload of the next datagram is to be put in the transmit buffer. */
export const TRANSMIT_PAYLOAD = IP + IPV4_HEADER_OCTETS;
/** RFC 1112 6.4: 01-00-5E-00-00-00, to which the low 23 bits of the group are added. */
const MULTICAST_MAC = 0x0100_5e00_0000;
const BROADCAST_MAC = 0xffff_ffff_ffff;

/**
 * `path`: "don't fragment" is set on what fits the path MTU; what is longer is sent in fragments of that size. `never`:
 * "don't fragment" always, what is longer is refused. `allowed`: "don't fragment" never.
 */
export type Fragmentation = 'path' | 'never' | 'allowed';

/** How datagrams are to be sent. */
export interface TransmitOptions {
  timeToLive: number;
  typeOfService: number;
  fragmentation: Fragmentation;
}

/** What became of a datagram: on its way, waiting for ARP, or why not sent. */
export type SendOutcome = 'sent' | 'held' | Ipv4TxDrop;

/** What a {@link Transmitter} works with. */
export interface TransmitterParts {
  /** Its `send` must stop frames whose source is no address of ours. */
  readonly device: Pick<LinkDevice, 'mac' | 'mtu' | 'send'>;
  readonly arp: Pick<ArpEndpoint, 'transmit'>;
  readonly addresses: AddressTable;
  readonly routes: RouteTable;
  readonly pathMtu: PathMtuTable;
  readonly identification: Identification;
  readonly loopback: LoopbackQueue;
  readonly counters: Ipv4Counters;
}

/**
 * One buffer serves all datagrams: the caller writes a payload at {@link TRANSMIT_PAYLOAD} of it and calls
 * {@link Transmitter.send} before anybody else runs. So a payload is copied once, into its frame, and nothing is
 * allocated.
 */
export class Transmitter {
  /** Holds the longest datagram. */
  readonly buffer = new Uint8Array(IP + IPV4_MAX_OCTETS);
  readonly #parts: TransmitterParts;
  readonly #counters: Ipv4Counters;

  constructor(parts: TransmitterParts) {
    this.#parts = parts;
    this.#counters = parts.counters;
    // Source and type never change; the destination is filled in for each frame.
    emitEthernetHeader(this.buffer, 0, 0, parts.device.mac.value, EtherType.ipv4);
  }

  /**
   * Sends the first `length` octets at {@link TRANSMIT_PAYLOAD} of the buffer as a datagram. What is in the buffer is
   * undefined afterwards.
   */
  send(
    source: number,
    destination: number,
    protocol: number,
    length: number,
    options: TransmitOptions,
  ): SendOutcome {
    const { addresses, routes, pathMtu, device } = this.#parts;
    const totalLength = IPV4_HEADER_OCTETS + length;
    if (totalLength > IPV4_MAX_OCTETS) return this.#drop('too-big');
    if (addresses.isLocal(destination)) {
      return this.#sendLocal(source, destination, protocol, totalLength, options);
    }
    // Nothing leaves on behalf of an address that is not ours now.
    if (!addresses.owns(source)) return this.#drop('source-not-owned');
    let nextHop = 0;
    let mtu = device.mtu;
    let mayForbid = true;
    const group = this.#groupMac(destination);
    if (group === 0) {
      const route = routes.lookup(destination);
      // RFC 1122 3.2.1.3 (a): 0.0.0.0/8 MUST NOT be used as a destination.
      if (route === undefined || destination >>> 24 === 0) return this.#drop('no-route');
      nextHop = route.gateway === 0 ? destination : route.gateway;
      mtu = pathMtu.get(destination);
      mayForbid = pathMtu.mayForbidFragmenting(destination);
    } else {
      writeU48(this.buffer, 0, group);
    }
    const whole = totalLength <= mtu;
    if (!whole && options.fragmentation === 'never') return this.#drop('too-big');
    const identification = this.#parts.identification.next(source, destination, protocol);
    if (whole) {
      const { fragmentation } = options;
      const forbid = fragmentation === 'never' || (fragmentation === 'path' && mayForbid);
      const flags = forbid ? Ipv4Flag.dontFragment : 0;
      this.#emit(totalLength, identification, flags, options, protocol, source, destination);
      return this.#count(this.#transmit(nextHop, IP + totalLength));
    }
    this.#counters.txFragmented++;
    return this.#count(
      this.#sendFragments(nextHop, mtu, length, identification, options, protocol, source, destination),
    );
  }

  /** RFC 791 3.2: pieces of a multiple of eight octets. */
  #sendFragments(
    nextHop: number,
    mtu: number,
    length: number,
    identification: number,
    options: TransmitOptions,
    protocol: number,
    source: number,
    destination: number,
  ): SendOutcome {
    const pieceOctets = (mtu - IPV4_HEADER_OCTETS) & ~7;
    let outcome: SendOutcome = 'sent';
    for (let begin = 0; begin < length; begin += pieceOctets) {
      const octets = Math.min(pieceOctets, length - begin);
      // Each piece is moved to where the first one is: the frame always begins at 0, and no window is allocated.
      if (begin > 0) {
        this.buffer.copyWithin(TRANSMIT_PAYLOAD, TRANSMIT_PAYLOAD + begin, TRANSMIT_PAYLOAD + begin + octets);
      }
      const flags = begin + octets < length ? Ipv4Flag.moreFragments : 0;
      const totalLength = IPV4_HEADER_OCTETS + octets;
      this.#emit(totalLength, identification, flags | (begin >>> 3), options, protocol, source, destination);
      outcome = this.#transmit(nextHop, IP + totalLength);
      // Without one of its fragments the datagram is lost; the others would only load the network.
      if (outcome !== 'sent' && outcome !== 'held') break;
    }
    return outcome;
  }

  #sendLocal(
    source: number,
    destination: number,
    protocol: number,
    totalLength: number,
    options: TransmitOptions,
  ): SendOutcome {
    const { addresses, identification, loopback } = this.#parts;
    if (!addresses.isLocal(source)) return this.#drop('source-not-owned');
    const id = identification.next(source, destination, protocol);
    this.#emit(totalLength, id, Ipv4Flag.dontFragment, options, protocol, source, destination);
    if (!loopback.push(this.buffer, IP, IP + totalLength)) return this.#drop('loopback-full');
    this.#counters.txLoopback++;
    return this.#count('sent');
  }

  #emit(
    totalLength: number,
    identification: number,
    flagsAndOffset: number,
    options: TransmitOptions,
    protocol: number,
    source: number,
    destination: number,
  ): void {
    emitIpv4Fields(
      this.buffer,
      IP,
      totalLength,
      identification,
      flagsAndOffset,
      options.timeToLive,
      options.typeOfService,
      protocol,
      source,
      destination,
    );
  }

  /** The MAC address of a broadcast or group; 0 for a single host. */
  #groupMac(destination: number): number {
    if (isMulticastIpv4(destination)) return MULTICAST_MAC + (destination & 0x7f_ffff);
    return this.#parts.addresses.isBroadcast(destination) ? BROADCAST_MAC : 0;
  }

  /** @param nextHop 0 when the destination MAC is in the frame already */
  #transmit(nextHop: number, frameOctets: number): SendOutcome {
    let octets = frameOctets;
    if (octets < ETHERNET_MIN_OCTETS) {
      // RFC 894: short datagrams are padded with octets of zero. What the buffer held before must not leak.
      this.buffer.fill(0, octets, ETHERNET_MIN_OCTETS);
      octets = ETHERNET_MIN_OCTETS;
    }
    if (nextHop === 0) {
      if (!this.#parts.device.send(this.buffer, octets)) return this.#drop('device');
      this.#counters.txFrames++;
      return 'sent';
    }
    const result = this.#parts.arp.transmit(nextHop, this.buffer, octets);
    if (result === 'dropped') return this.#drop('next-hop');
    this.#counters.txFrames++;
    return result;
  }

  #count(outcome: SendOutcome): SendOutcome {
    if (outcome === 'sent' || outcome === 'held') this.#counters.txPackets++;
    return outcome;
  }

  #drop(reason: Ipv4TxDrop): Ipv4TxDrop {
    this.#counters.txDrops[reason]++;
    return reason;
  }
}
