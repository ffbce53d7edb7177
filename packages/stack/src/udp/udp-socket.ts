// A UDP socket with callbacks. The node:dgram-shaped one is built on it.
import { formatIpv4, type Ipv4Address, isMulticastIpv4 } from '@rfsis/link';
import { SocketError, type SocketErrorCode, StackError } from '../errors.js';
import { LIMITED_BROADCAST } from '../ipv4/addresses.js';
import type { Fragmentation, TransmitOptions } from '../ipv4/transmitter.js';
import type { UdpTxDrop } from './counters.js';
import type { Endpoint } from './socket-table.js';

/**
 * A received datagram. It is valid only during the call that hands it over, and is then filled in again: take a copy
 * of what is needed later.
 */
export class UdpDatagram {
  /** The payload is `bytes[offset]` to `bytes[end - 1]`. */
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  end = 0;
  /** Who sent it, 32-bit. */
  sourceAddress = 0;
  sourcePort = 0;
  /** The address it was sent to (RFC 1122 4.1.3.5), 32-bit: one of ours, a broadcast, or 224.0.0.1. */
  destinationAddress = 0;
  destinationPort = 0;
  timeToLive = 0;
  typeOfService = 0;
  /** Whether it was sent to one host, so that {@link UdpDatagram.destinationAddress} is an address of ours. */
  isUnicast = true;
  #socket: UdpSocket | undefined;

  /** Octets of payload. */
  get length(): number {
    return this.end - this.offset;
  }

  /** A window on the payload, without a copy; valid only during the call. */
  get payload(): Uint8Array {
    return this.bytes.subarray(this.offset, this.end);
  }

  /** A copy of the payload, to keep. */
  copy(): Buffer {
    const copy = Buffer.allocUnsafe(this.end - this.offset);
    copy.set(this.bytes.subarray(this.offset, this.end));
    return copy;
  }

  /**
   * Sends an answer: to where the datagram came from, from the address it was sent to.
   * @returns undefined when it is on its way, or Node's code of what stands against it
   */
  reply(payload: Uint8Array): SocketErrorCode | undefined {
    const source = this.isUnicast ? this.destinationAddress : 0;
    return this.#socket?.transmit(payload, this.sourceAddress, this.sourcePort, source) ?? undefined;
  }

  /** For the UDP layer: whose the next call is. @internal */
  assign(socket: UdpSocket | undefined): void {
    this.#socket = socket;
  }
}

/** Options of `udp.bind`. */
export interface UdpBindOptions {
  /**
   * Only datagrams to this address, and sent from it by default; default: any. It need not be an address of the stack
   * (yet): until it is, nothing arrives, and sending fails with `EADDRNOTAVAIL`.
   */
  readonly address?: Ipv4Address | undefined;
  /** Default 0: one that is free and cannot be guessed. */
  readonly port?: number | undefined;
  /** Whether others that say so too may be bound here. Unicasts go to the latest, broadcasts to all. Default false. */
  readonly reuseAddress?: boolean | undefined;
  /**
   * Called for each datagram, at once as it arrives: there is no queue. What it throws is thrown again outside the
   * stack.
   */
  readonly onDatagram?: ((datagram: UdpDatagram) => void) | undefined;
  /**
   * Called when ICMP reports that a datagram of this socket, which is connected, could not be delivered.
   * @param hard whether to give up (RFC 1122 4.2.3.9, and what Linux reports to a connected socket); else it may pass
   */
  readonly onError?: ((error: SocketError, hard: boolean) => void) | undefined;
}

/** What a socket needs of its layer. */
export interface UdpSocketOwner {
  transmit(
    socket: UdpSocket,
    payload: Uint8Array | readonly Uint8Array[],
    address: number,
    port: number,
    source: number,
  ): UdpTxDrop | undefined;
  /** Takes the socket out of the table, lets it change its endpoint, and puts it back. */
  rehash(socket: UdpSocket, change: () => void): void;
  remove(socket: UdpSocket): void;
  selectSource(destination: number): number;
}

/** Made by `udp.bind`. */
export class UdpSocket implements Endpoint {
  readonly localPort: number;
  readonly reuseAddress: boolean;
  readonly onDatagram: UdpBindOptions['onDatagram'];
  readonly onError: UdpBindOptions['onError'];
  /** Whether datagrams may go to broadcast addresses; if not they are refused with `EACCES`. */
  broadcast = false;
  /** For the UDP layer. @internal */
  readonly transmitOptions: TransmitOptions = {
    timeToLive: 64,
    typeOfService: 0,
    fragmentation: 'path',
  };
  readonly #owner: UdpSocketOwner;
  readonly #boundAddress: number;
  #localAddress: number;
  #remoteAddress = 0;
  #remotePort = 0;
  #timeToLive = 64;
  #multicastTimeToLive = 1;
  #closed = false;

  /** @internal Use `udp.bind`. */
  constructor(owner: UdpSocketOwner, port: number, options: UdpBindOptions) {
    this.#owner = owner;
    this.#boundAddress = options.address?.value ?? 0;
    this.#localAddress = this.#boundAddress;
    this.localPort = port;
    this.reuseAddress = options.reuseAddress ?? false;
    this.onDatagram = options.onDatagram;
    this.onError = options.onError;
  }

  /** 32-bit; 0 for any. A connected socket has the one its datagrams are sent from. */
  get localAddress(): number {
    return this.#localAddress;
  }

  /** 32-bit; 0 while not connected. */
  get remoteAddress(): number {
    return this.#remoteAddress;
  }

  /** 0 while not connected. */
  get remotePort(): number {
    return this.#remotePort;
  }

  get connected(): boolean {
    return this.#remotePort !== 0;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** TTL of datagrams to single hosts and broadcasts, 1 to 255; 64 at first. */
  get timeToLive(): number {
    return this.#timeToLive;
  }

  set timeToLive(value: number) {
    // RFC 1122 3.2.1.7: a host MUST NOT send a datagram with a TTL of zero.
    this.#timeToLive = octetOption('timeToLive', value, 1);
  }

  /** TTL of multicasts, 1 to 255; 1 at first (RFC 1112 6.1). */
  get multicastTimeToLive(): number {
    return this.#multicastTimeToLive;
  }

  set multicastTimeToLive(value: number) {
    this.#multicastTimeToLive = octetOption('multicastTimeToLive', value, 1);
  }

  /** Differentiated services and ECN, 0 to 255; 0 at first. */
  get typeOfService(): number {
    return this.transmitOptions.typeOfService;
  }

  set typeOfService(value: number) {
    this.transmitOptions.typeOfService = octetOption('typeOfService', value, 0);
  }

  /** `path` at first. With `never`, what is longer than the path MTU is refused with `EMSGSIZE`. */
  get fragmentation(): Fragmentation {
    return this.transmitOptions.fragmentation;
  }

  set fragmentation(value: Fragmentation) {
    this.transmitOptions.fragmentation = value;
  }

  /**
   * Sends `payload`, or several as one datagram, to the connected address.
   * @returns undefined when it is on its way, or Node's code of what stands against it
   */
  send(payload: Uint8Array | readonly Uint8Array[]): SocketErrorCode | undefined {
    if (this.#remotePort === 0) return 'EDESTADDRREQ';
    return this.transmit(payload, this.#remoteAddress, this.#remotePort, 0);
  }

  /**
   * Sends `payload`, or several as one datagram.
   * @param address an address, or its 32-bit value
   * @param source an address of ours to send from; default: the bound one, else the one of the route
   * @returns undefined when it is on its way, or Node's code of what stands against it
   */
  sendTo(
    payload: Uint8Array | readonly Uint8Array[],
    address: Ipv4Address | number,
    port: number,
    source?: Ipv4Address | number,
  ): SocketErrorCode | undefined {
    if (this.#remotePort !== 0) return 'EISCONN';
    return this.transmit(
      payload,
      typeof address === 'number' ? address : address.value,
      port,
      source === undefined ? 0 : typeof source === 'number' ? source : source.value,
    );
  }

  /**
   * From now on only datagrams from there are received, {@link UdpSocket.send} sends there, and ICMP errors are told.
   * The local address is fixed to the one of the route unless the socket is bound to one.
   * @throws {SocketError} `EINVAL`, `ENETUNREACH`, `EACCES`, `EBADF`
   */
  connect(address: Ipv4Address, port: number): void {
    const refuse = (code: SocketErrorCode): never => {
      throw new SocketError(code, 'connect', address.toString(), port);
    };
    if (this.#closed) refuse('EBADF');
    if (!Number.isInteger(port) || port < 1 || port > 0xffff || address.value === 0) refuse('EINVAL');
    if (address.value === LIMITED_BROADCAST && !this.broadcast) refuse('EACCES');
    const source = this.#boundAddress === 0 ? this.#owner.selectSource(address.value) : this.#boundAddress;
    if (source === 0) refuse('ENETUNREACH');
    this.#owner.rehash(this, () => {
      this.#localAddress = source;
      this.#remoteAddress = address.value;
      this.#remotePort = port;
    });
  }

  /** Undoes {@link UdpSocket.connect}; harmless when not connected. */
  disconnect(): void {
    if (this.#closed || this.#remotePort === 0) return;
    this.#owner.rehash(this, () => {
      this.#localAddress = this.#boundAddress;
      this.#remoteAddress = 0;
      this.#remotePort = 0;
    });
  }

  /** Frees the port; no callback is called any more. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner.remove(this);
  }

  toString(): string {
    const remote = this.connected ? `-${formatIpv4(this.#remoteAddress)}:${this.#remotePort}` : '';
    return `udp ${formatIpv4(this.#localAddress)}:${this.localPort}${remote}`;
  }

  /** @internal {@link UdpSocket.sendTo} without looking whether it is connected. */
  transmit(
    payload: Uint8Array | readonly Uint8Array[],
    address: number,
    port: number,
    source: number,
  ): UdpTxDrop | undefined {
    this.transmitOptions.timeToLive = isMulticastIpv4(address) ? this.#multicastTimeToLive : this.#timeToLive;
    return this.#owner.transmit(this, payload, address, port, source === 0 ? this.#localAddress : source);
  }
}

function octetOption(name: string, value: number, least: number): number {
  if (!Number.isInteger(value) || value < least || value > 255) {
    throw new StackError('RFSIS_STACK_OPTION_INVALID', `${name} ${value}: expected ${least} to 255`);
  }
  return value;
}
