// UDP of a host (RFC 768, RFC 1122 4.1): from datagrams to sockets and back.
import {
  type ChecksumState,
  type Clock,
  formatIpv4,
  isMulticastIpv4,
  type LinkDevice,
  type Random,
  readU16,
} from '@rfsis/link';
import { SocketError, type SocketErrorCode } from '../errors.js';
import { IcmpType, UnreachableCode } from '../icmp/message.js';
import type { Ipv4Layer } from '../ipv4/ipv4-layer.js';
import { IpProtocol } from '../ipv4/packet.js';
import type { ErrorReport, InboundPacket, Ipv4Protocol } from '../ipv4/protocol.js';
import { judgeChecksum } from '../ipv4/transport-checksum.js';
import { type SendOutcome, TRANSMIT_PAYLOAD } from '../ipv4/transmitter.js';
import { newUdpCounters, type UdpCounters, type UdpRxDrop, type UdpTxDrop } from './counters.js';
import { emitUdpHeader, UDP_CHECKSUM, UDP_HEADER_OCTETS, UDP_MAX_PAYLOAD, UdpView } from './datagram.js';
import { EphemeralPorts, type EphemeralPortRange } from './ephemeral-ports.js';
import { SocketTable } from './socket-table.js';
import { type UdpBindOptions, UdpDatagram, UdpSocket, type UdpSocketOwner } from './udp-socket.js';

/** Limits of {@link UdpLayer}. */
export interface UdpLimits extends EphemeralPortRange {
  /** Sockets; binding more fails with `ENOBUFS`. Default 4,096. */
  readonly udpSockets: number;
}

/** What a {@link UdpLayer} is made of. */
export interface UdpLayerOptions {
  readonly ipv4: Ipv4Layer;
  readonly device: Pick<LinkDevice, 'up'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: UdpLimits;
  /** See {@link judgeChecksum}. */
  readonly acceptPartialChecksums: boolean;
  /** Tells the sender that nobody listens there. */
  readonly portUnreachable: (packet: InboundPacket) => void;
}

export class UdpLayer implements Ipv4Protocol, UdpSocketOwner {
  readonly number = IpProtocol.udp;
  readonly counters: UdpCounters = newUdpCounters();
  readonly #parts: UdpLayerOptions;
  readonly #ipv4: Ipv4Layer;
  readonly #ports: EphemeralPorts;
  readonly #sockets = new SocketTable<UdpSocket>();
  readonly #view = new UdpView();
  readonly #datagram = new UdpDatagram();
  #groupReaders = 0;
  readonly #visit = (socket: UdpSocket): void => {
    if (socket.closed || socket.onDatagram === undefined) return;
    this.#groupReaders++;
    this.#call(socket);
  };

  constructor(options: UdpLayerOptions) {
    this.#parts = options;
    this.#ipv4 = options.ipv4;
    this.#ports = new EphemeralPorts(options.random, options.limits);
    options.ipv4.register(this);
  }

  /** Sockets that are open. */
  get socketCount(): number {
    return this.#sockets.size;
  }

  /**
   * A socket that receives from now on.
   * @throws {SocketError} `EADDRINUSE`; `EINVAL` for a port that is none; `EADDRNOTAVAIL` for an address no host has;
   *   `ENOBUFS` at the limit
   */
  bind(options: UdpBindOptions = {}): UdpSocket {
    const address = options.address?.value ?? 0;
    const reuse = options.reuseAddress ?? false;
    const wanted = options.port ?? 0;
    const refuse = (code: SocketErrorCode): SocketError =>
      new SocketError(code, 'bind', formatIpv4(address), wanted);
    if (!Number.isInteger(wanted) || wanted < 0 || wanted > 0xffff) throw refuse('EINVAL');
    if (address !== 0 && address >>> 24 === 0) throw refuse('EADDRNOTAVAIL');
    if (this.#sockets.size >= this.#parts.limits.udpSockets) throw refuse('ENOBUFS');
    let port: number | undefined = wanted;
    if (wanted === 0) port = this.#ports.choose((each) => !this.#sockets.conflicts(address, each, false));
    else if (this.#sockets.conflicts(address, wanted, reuse)) throw refuse('EADDRINUSE');
    if (port === undefined) throw refuse('EADDRINUSE');
    const socket = new UdpSocket(this, port, options);
    this.#sockets.add(socket);
    return socket;
  }

  receive(packet: InboundPacket, bytes: Uint8Array, offset: number, end: number, state: ChecksumState): void {
    this.counters.rxDatagrams++;
    const view = this.#view;
    const defect = view.read(bytes, offset, end);
    if (defect !== undefined) {
      this.#drop(defect);
      return;
    }
    const { source, destination } = packet;
    if (!this.#isIntact(source, destination, bytes, offset, view, state)) {
      // RFC 1122 4.1.3.4: a datagram with a wrong checksum MUST be silently discarded.
      this.#drop('udp-checksum');
      return;
    }
    if (view.sourcePort === 0) {
      this.#drop('source-port-zero');
      return;
    }
    const datagram = this.#datagram;
    datagram.bytes = bytes;
    datagram.offset = view.payloadOffset;
    datagram.end = view.payloadEnd;
    datagram.sourceAddress = source;
    datagram.sourcePort = view.sourcePort;
    datagram.destinationAddress = destination;
    datagram.destinationPort = view.destinationPort;
    datagram.timeToLive = packet.timeToLive;
    datagram.typeOfService = packet.typeOfService;
    datagram.isUnicast = packet.scope === 'unicast';
    if (datagram.isUnicast) this.#deliver(packet, datagram);
    else this.#deliverToAll(datagram);
  }

  recognises(report: ErrorReport): boolean {
    const { quoted } = report;
    const socket = this.#quotedSocket(report);
    if (socket === undefined) return false;
    // Of a connected socket both ends were guessed right; of others the identification must be too.
    return (
      socket.connected ||
      this.#ipv4.identification.isRecent(
        quoted.source,
        quoted.destination,
        IpProtocol.udp,
        quoted.identification,
      )
    );
  }

  /** RFC 1122 4.1.3.3: UDP MUST pass to the application all ICMP errors; here as Linux, to connected sockets. */
  receiveError(report: ErrorReport): void {
    const socket = this.#quotedSocket(report);
    if (socket?.connected !== true || socket.onError === undefined) return;
    const { type, code } = report;
    const errorCode = socketErrorOf(type, code);
    if (errorCode === undefined) return;
    const error = new SocketError(errorCode, 'recvmsg', formatIpv4(socket.remoteAddress), socket.remotePort);
    this.counters.rxErrors++;
    try {
      socket.onError(error, isHardError(type, code, socket));
    } catch (thrown) {
      this.#rethrowOutside(thrown);
    }
  }

  /** @internal for sockets */
  transmit(
    socket: UdpSocket,
    payload: Uint8Array | readonly Uint8Array[],
    address: number,
    port: number,
    source: number,
  ): UdpTxDrop | undefined {
    const problem = this.#whyNotToSend(socket, address, port);
    if (problem !== undefined) return this.#refuse(problem);
    const from = this.#sourceFor(address, source);
    if (from === 0) return this.#refuse('ENETUNREACH');
    const { buffer } = this.#ipv4.transmitter;
    const begin = TRANSMIT_PAYLOAD + UDP_HEADER_OCTETS;
    let octets = 0;
    if (payload instanceof Uint8Array) {
      octets = payload.length;
      if (octets > UDP_MAX_PAYLOAD) return this.#refuse('EMSGSIZE');
      buffer.set(payload, begin);
    } else {
      for (const part of payload) {
        if (octets + part.length > UDP_MAX_PAYLOAD) return this.#refuse('EMSGSIZE');
        buffer.set(part, begin + octets);
        octets += part.length;
      }
    }
    const length = UDP_HEADER_OCTETS + octets;
    emitUdpHeader(buffer, TRANSMIT_PAYLOAD, length, from, address, socket.localPort, port);
    const outcome = this.#ipv4.send(from, address, IpProtocol.udp, length, socket.transmitOptions);
    const code = this.#errorOf(outcome);
    if (code !== undefined) return this.#refuse(code);
    this.counters.txDatagrams++;
    return undefined;
  }

  /** @internal for sockets */
  rehash(socket: UdpSocket, change: () => void): void {
    this.#sockets.remove(socket);
    change();
    this.#sockets.add(socket);
  }

  /** @internal for sockets */
  remove(socket: UdpSocket): void {
    this.#sockets.remove(socket);
  }

  /** @internal for sockets */
  selectSource(destination: number): number {
    return this.#ipv4.selectSource(destination);
  }

  /** Closes all sockets. */
  close(): void {
    for (const socket of [...this.#sockets]) socket.close();
  }

  #isIntact(
    source: number,
    destination: number,
    bytes: Uint8Array,
    offset: number,
    view: UdpView,
    state: ChecksumState,
  ): boolean {
    if (view.checksum === 0) {
      // RFC 768: the transmitter has generated no checksum.
      this.counters.rxWithoutChecksum++;
      return true;
    }
    const verdict = judgeChecksum(
      source,
      destination,
      IpProtocol.udp,
      bytes,
      offset,
      view.length,
      offset + UDP_CHECKSUM,
      state,
      this.#parts.acceptPartialChecksums,
    );
    if (verdict === 'partial') this.counters.rxPartialChecksum++;
    return verdict !== 'wrong';
  }

  #deliver(packet: InboundPacket, datagram: UdpDatagram): void {
    const socket = this.#sockets.lookup(
      datagram.destinationAddress,
      datagram.destinationPort,
      datagram.sourceAddress,
      datagram.sourcePort,
    );
    if (socket === undefined) {
      this.#drop('no-socket');
      // RFC 1122 4.1.3.1: UDP SHOULD send an ICMP Port Unreachable.
      this.#parts.portUnreachable(packet);
    } else if (socket.onDatagram === undefined) {
      this.#drop('unread');
    } else {
      this.counters.rxDelivered++;
      this.#call(socket);
    }
  }

  #deliverToAll(datagram: UdpDatagram): void {
    this.#groupReaders = 0;
    this.#sockets.forEachMatch(
      datagram.destinationAddress,
      datagram.destinationPort,
      datagram.sourceAddress,
      datagram.sourcePort,
      this.#visit,
    );
    // RFC 1122 3.2.2: nobody is told that a broadcast found no listener.
    if (this.#groupReaders > 0) this.counters.rxDelivered++;
    else this.#drop('no-socket');
  }

  #call(socket: UdpSocket): void {
    this.#datagram.assign(socket);
    try {
      socket.onDatagram?.(this.#datagram);
    } catch (thrown) {
      this.#rethrowOutside(thrown);
    }
  }

  /** A mistake of the application is its own: it becomes an uncaught exception, and the stack goes on. */
  #rethrowOutside(thrown: unknown): void {
    this.counters.handlerErrors++;
    this.#parts.clock.defer(() => {
      throw thrown;
    });
  }

  #whyNotToSend(socket: UdpSocket, address: number, port: number): UdpTxDrop | undefined {
    if (socket.closed) return 'EBADF';
    if (!Number.isInteger(port) || port < 1 || port > 0xffff) return 'EINVAL';
    // RFC 1122 3.3.6 leaves broadcasting to applications that ask for it.
    return !socket.broadcast && this.#ipv4.addresses.isBroadcast(address) ? 'EACCES' : undefined;
  }

  /** A socket bound to a broadcast or multicast address receives there, but sends from an address of this host. */
  #sourceFor(destination: number, source: number): number {
    const usable = source !== 0 && !isMulticastIpv4(source) && !this.#ipv4.addresses.isBroadcast(source);
    return usable ? source : this.#ipv4.selectSource(destination);
  }

  #errorOf(outcome: SendOutcome): UdpTxDrop | undefined {
    switch (outcome) {
      case 'sent':
      case 'held':
        return undefined;
      case 'source-not-owned':
        return 'EADDRNOTAVAIL';
      case 'no-route':
        return 'ENETUNREACH';
      case 'too-big':
        return 'EMSGSIZE';
      case 'next-hop':
        return 'EHOSTUNREACH';
      case 'loopback-full':
        return 'ENOBUFS';
      case 'device':
        return this.#parts.device.up ? 'ENOBUFS' : 'ENETDOWN';
    }
  }

  #quotedSocket(report: ErrorReport): UdpSocket | undefined {
    const { quoted, bytes, offset } = report;
    if (isMulticastIpv4(quoted.destination)) return undefined;
    const sourcePort = readU16(bytes, offset);
    const destinationPort = readU16(bytes, offset + 2);
    return this.#sockets.lookup(quoted.source, sourcePort, quoted.destination, destinationPort);
  }

  #refuse(code: UdpTxDrop): UdpTxDrop {
    this.counters.txDrops[code]++;
    return code;
  }

  #drop(reason: UdpRxDrop): void {
    this.counters.rxDrops[reason]++;
  }
}

/** The socket errors for "destination unreachable", by code; as in Linux. */
const UNREACHABLE_ERRORS: readonly SocketErrorCode[] = [
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENOPROTOOPT',
  'ECONNREFUSED',
  'EMSGSIZE',
  'EOPNOTSUPP',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EHOSTUNREACH',
  'EHOSTUNREACH',
  'EHOSTUNREACH',
];

/** Codes that may pass: network, host, source route failed, and network and host for a type of service. */
const SOFT_CODES: readonly number[] = [0, 1, 5, 11, 12];

function socketErrorOf(type: number, code: number): SocketErrorCode | undefined {
  if (type === IcmpType.destinationUnreachable) return UNREACHABLE_ERRORS[code];
  if (type === IcmpType.timeExceeded) return 'EHOSTUNREACH';
  return type === IcmpType.parameterProblem ? 'EPROTO' : undefined;
}

function isHardError(type: number, code: number, socket: UdpSocket): boolean {
  if (type === IcmpType.timeExceeded) return false;
  if (type === IcmpType.parameterProblem) return true;
  if (code === UnreachableCode.fragmentationNeeded) return socket.fragmentation === 'never';
  return !SOFT_CODES.includes(code);
}
