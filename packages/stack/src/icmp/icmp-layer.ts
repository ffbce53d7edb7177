// ICMP of a host (RFC 792, RFC 1122 3.2.2): answers echo requests, passes errors on to those concerned, reports errors.
import {
  type ChecksumState,
  type Clock,
  ETHERNET_HEADER_OCTETS,
  type Ipv4Address,
  isMulticastIpv4,
  type Random,
  readU16,
  readU8,
  updateChecksum,
  writeU16,
} from '@rfsis/link';
import { isLoopbackIpv4 } from '../ipv4/addresses.js';
import type { ErrorSender, Ipv4Layer } from '../ipv4/ipv4-layer.js';
import { IpProtocol, Ipv4View } from '../ipv4/packet.js';
import type { ErrorReport, InboundPacket, Ipv4Protocol } from '../ipv4/protocol.js';
import { TRANSMIT_PAYLOAD, type TransmitOptions } from '../ipv4/transmitter.js';
import { newIcmpCounters, type IcmpCounters, type IcmpRxDrop, type IcmpTxDrop } from './counters.js';
import {
  emitIcmpHeader,
  ICMP_HEADER_OCTETS,
  IcmpType,
  IcmpView,
  isIcmpError,
  TimeExceededCode,
  UnreachableCode,
} from './message.js';
import { Pinger, type PingOptions, type PingReply } from './pinger.js';
import { ErrorRateLimit, type ErrorRates } from './rate-limit.js';

/**
 * Octets of the offending datagram that an error quotes: as many as the error can carry without being longer than 576
 * octets (RFC 1812 4.3.2.3; RFC 1122 3.2.2 asks for the header and 8 octets).
 */
const QUOTED_OCTETS = 576 - 20 - ICMP_HEADER_OCTETS;

const CHECKSUM = 2;

/** A report whose fields are filled in again for each error. */
class ReusableReport implements ErrorReport {
  type = 0;
  code = 0;
  reporter = 0;
  readonly quoted = new Ipv4View();
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  end = 0;

  /** @returns false when there is no readable beginning of a datagram with 8 octets of payload */
  read(
    type: number,
    code: number,
    reporter: number,
    bytes: Uint8Array,
    offset: number,
    end: number,
  ): boolean {
    const { quoted } = this;
    if (quoted.readQuoted(bytes, offset, end) !== undefined) return false;
    this.type = type;
    this.code = code;
    this.reporter = reporter;
    this.bytes = bytes;
    this.offset = quoted.payloadOffset;
    this.end = Math.min(end, quoted.payloadEnd);
    // RFC 792: 64 bits of the datagram's data are there. Ports are in the first fragment only.
    return this.end - this.offset >= 8 && quoted.fragmentOffset === 0;
  }
}

export class IcmpLayer implements Ipv4Protocol, ErrorSender {
  readonly number = IpProtocol.icmp;
  readonly counters: IcmpCounters = newIcmpCounters();
  readonly #ipv4: Ipv4Layer;
  readonly #pinger: Pinger;
  readonly #rateLimit: ErrorRateLimit;
  readonly #message = new IcmpView();
  readonly #report = new ReusableReport();
  /** Without "don't fragment": what is sent here is not kept, so an error about it could not be believed. */
  readonly #options: TransmitOptions = { timeToLive: 64, typeOfService: 0, fragmentation: 'allowed' };

  constructor(ipv4: Ipv4Layer, clock: Clock, random: Random, rates: ErrorRates) {
    this.#ipv4 = ipv4;
    this.#pinger = new Pinger(ipv4, clock, random, this.counters);
    this.#rateLimit = new ErrorRateLimit(clock, random, rates);
    ipv4.register(this);
    ipv4.setErrorSender(this);
  }

  /** Sends an echo request and waits for the reply. Rejects with a `StackError`. */
  ping(address: Ipv4Address, options: PingOptions = {}): Promise<PingReply> {
    return this.#pinger.ping(address, options);
  }

  receive(
    packet: InboundPacket,
    bytes: Uint8Array,
    offset: number,
    end: number,
    _state: ChecksumState,
  ): void {
    this.counters.rxMessages++;
    const message = this.#message;
    const defect = message.read(bytes, offset, end, packet.viaLoopback);
    if (defect !== undefined) {
      this.#drop(defect);
      return;
    }
    switch (message.type) {
      case IcmpType.echoRequest:
        this.#receiveEchoRequest(packet, bytes, offset, end);
        return;
      case IcmpType.echoReply:
        if (this.#pinger.receiveReply(packet, bytes, message)) this.counters.rxEchoReplies++;
        else this.#drop('echo-unmatched');
        return;
      case IcmpType.destinationUnreachable:
      case IcmpType.timeExceeded:
      case IcmpType.parameterProblem:
        this.#receiveErrorMessage(packet, bytes, message);
        return;
      case IcmpType.sourceQuench:
        // RFC 6633 3: a host MUST NOT react to source quench.
        this.#drop('source-quench');
        return;
      case IcmpType.redirect:
        this.#drop('redirect');
        return;
      default:
        // RFC 1122 3.2.2: an ICMP message of unknown type MUST be silently discarded.
        this.#drop('icmp-type');
    }
  }

  recognises(report: ErrorReport): boolean {
    return this.#pinger.recognises(report);
  }

  receiveError(report: ErrorReport): void {
    this.#pinger.receiveError(report);
  }

  /** ARP gave up the next hop of a frame of ours: the same to the sender as "host unreachable" from a router. */
  nextHopUnreachable(frame: Uint8Array): void {
    const report = this.#report;
    const { destinationUnreachable } = IcmpType;
    const { host } = UnreachableCode;
    if (!report.read(destinationUnreachable, host, 0, frame, ETHERNET_HEADER_OCTETS, frame.length)) return;
    const protocol = this.#ipv4.protocol(report.quoted.protocol);
    if (protocol?.recognises(report) !== true) return;
    this.counters.localErrors++;
    protocol.receiveError(report);
  }

  protocolUnreachable(packet: InboundPacket): void {
    this.sendError(IcmpType.destinationUnreachable, UnreachableCode.protocol, 0, packet);
  }

  reassemblyTimedOut(packet: InboundPacket): void {
    this.sendError(IcmpType.timeExceeded, TimeExceededCode.reassembly, 0, packet);
  }

  /** For UDP: nobody listens on the port (RFC 1122 4.1.3.1). */
  portUnreachable(packet: InboundPacket): void {
    this.sendError(IcmpType.destinationUnreachable, UnreachableCode.port, 0, packet);
  }

  /** Tells the sender of `packet`, unless it must not be told. It is sent from the address that `packet` was for. */
  sendError(type: number, code: number, rest: number, packet: InboundPacket): void {
    const reason = this.#whyNotToTell(packet);
    if (reason !== undefined) {
      this.counters.txDrops[reason]++;
      return;
    }
    const { buffer } = this.#ipv4.transmitter;
    const octets = Math.min(packet.totalLength, QUOTED_OCTETS);
    const { bytes, offset } = packet;
    const end = TRANSMIT_PAYLOAD + ICMP_HEADER_OCTETS + octets;
    buffer.set(bytes.subarray(offset, offset + octets), TRANSMIT_PAYLOAD + ICMP_HEADER_OCTETS);
    emitIcmpHeader(buffer, TRANSMIT_PAYLOAD, end, type, code, rest);
    // RFC 1122 3.2.2: TOS of an error is 0.
    if (this.#transmit(packet.destination, packet.source, ICMP_HEADER_OCTETS + octets, 0)) {
      this.counters.txErrors++;
    }
  }

  /** Ends the pings. */
  close(): void {
    this.#pinger.close();
  }

  /** RFC 1122 3.2.2: "An ICMP error message MUST NOT be sent as the result of receiving ..." */
  #whyNotToTell(packet: InboundPacket): IcmpTxDrop | undefined {
    if (packet.scope !== 'unicast' || packet.inGroupFrame) return 'about-broadcast';
    if (packet.fragmentOffset !== 0) return 'about-fragment';
    if (packet.protocol === IpProtocol.icmp) {
      const type = readU8(packet.bytes, packet.payloadOffset);
      if (packet.payloadOffset === packet.payloadEnd || isIcmpError(type)) return 'about-error';
    }
    const { source } = packet;
    if (packet.viaLoopback) return undefined;
    // 240.0.0.0/4 is no host's; the rest of the invalid sources did not come this far.
    const isHost = source >>> 28 !== 15 && !isMulticastIpv4(source) && !isLoopbackIpv4(source);
    if (!isHost || source >>> 24 === 0) return 'about-source';
    return this.#rateLimit.allow(source) ? undefined : 'rate-limit';
  }

  #receiveEchoRequest(packet: InboundPacket, bytes: Uint8Array, offset: number, end: number): void {
    if (packet.scope !== 'unicast') {
      this.#drop('echo-broadcast');
      return;
    }
    this.counters.rxEchoRequests++;
    const { buffer } = this.#ipv4.transmitter;
    buffer.set(bytes.subarray(offset, end), TRANSMIT_PAYLOAD);
    // RFC 792: to form an echo reply the type is changed to 0 and the checksum recomputed.
    const field = TRANSMIT_PAYLOAD + CHECKSUM;
    const oldWord = readU16(buffer, TRANSMIT_PAYLOAD);
    buffer[TRANSMIT_PAYLOAD] = IcmpType.echoReply;
    writeU16(buffer, field, updateChecksum(readU16(buffer, field), oldWord, oldWord & 0xff));
    // RFC 1122 3.2.2.6: the source of the reply is the destination of the request.
    if (this.#transmit(packet.destination, packet.source, end - offset, packet.typeOfService)) {
      this.counters.txEchoReplies++;
    }
  }

  #receiveErrorMessage(packet: InboundPacket, bytes: Uint8Array, message: IcmpView): void {
    if (packet.scope !== 'unicast') {
      this.#drop('error-broadcast');
      return;
    }
    const report = this.#report;
    if (!report.read(message.type, message.code, packet.source, bytes, message.dataOffset, message.end)) {
      this.#drop('error-quote');
      return;
    }
    const { quoted } = report;
    const protocol = this.#ipv4.protocol(quoted.protocol);
    // Who sent it must be who is told of it.
    if (quoted.source !== packet.destination || protocol?.recognises(report) !== true) {
      this.#drop('error-not-ours');
      return;
    }
    this.counters.rxErrors++;
    const { fragmentationNeeded } = UnreachableCode;
    if (report.type === IcmpType.destinationUnreachable && report.code === fragmentationNeeded) {
      // RFC 1191 4: only what was sent with "don't fragment" can have been too big.
      const { destination, totalLength, dontFragment } = quoted;
      if (dontFragment && this.#ipv4.pathMtu.reduce(destination, message.nextHopMtu, totalLength)) {
        this.counters.rxPathMtuReductions++;
      }
    }
    protocol.receiveError(report);
  }

  #transmit(source: number, destination: number, length: number, typeOfService: number): boolean {
    this.#options.typeOfService = typeOfService;
    const outcome = this.#ipv4.send(source, destination, IpProtocol.icmp, length, this.#options);
    const taken = outcome === 'sent' || outcome === 'held';
    if (!taken) this.counters.txDrops.unsent++;
    return taken;
  }

  #drop(reason: IcmpRxDrop): void {
    this.counters.rxDrops[reason]++;
  }
}
