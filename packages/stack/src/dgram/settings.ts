// The getters and setters of a node:dgram socket: TTL, broadcast, multicast, buffer sizes.
import { EventEmitter } from 'node:events';
import { isIPv4 } from 'node:net';
import { Ipv4Address } from '@rfsis/link';
import { SocketError } from '../errors.js';
import { ALL_HOSTS } from '../ipv4/addresses.js';
import type { UdpSocket } from '../udp/udp-socket.js';
import { bufferSizeArgument, numberArgument, stringArgument } from './arguments.js';
import { missingArgument } from './errors.js';

/** Who sent a message. */
export interface RemoteInfo {
  address: string;
  family: 'IPv4';
  port: number;
  /** Octets of the message. */
  size: number;
}

/** The events of a socket. */
export interface DgramEvents {
  close: [];
  connect: [];
  error: [Error];
  listening: [];
  message: [Buffer, RemoteInfo];
}

/** What is said of buffers: that of Linux, by default. */
const BUFFER_SIZE = 212_992;

/** The part of a socket that is about its settings; most are those of the {@link UdpSocket} under it. */
export abstract class SocketSettings extends EventEmitter<DgramEvents> {
  #joined = false;
  #recvBufferSize: number;
  #sendBufferSize: number;

  constructor(recvBufferSize: number = BUFFER_SIZE, sendBufferSize: number = BUFFER_SIZE) {
    super();
    this.#recvBufferSize = recvBufferSize;
    this.#sendBufferSize = sendBufferSize;
  }

  /** @throws when the socket is closed */
  protected abstract checkRunning(): void;

  /** @throws when the socket is closed or not yet bound */
  protected abstract bound(syscall: string): UdpSocket;

  setBroadcast(flag: boolean): void {
    this.bound('setBroadcast').broadcast = flag;
  }

  setTTL(ttl: number): number {
    const value = numberArgument('ttl', ttl);
    const udp = this.bound('setTTL');
    if (!isOctet(value) || value === 0) throw new SocketError('EINVAL', 'setTTL');
    udp.timeToLive = value;
    return value;
  }

  setMulticastTTL(ttl: number): number {
    const value = numberArgument('ttl', ttl);
    const udp = this.bound('setMulticastTTL');
    if (!isOctet(value) || value === 0) throw new SocketError('EINVAL', 'setMulticastTTL');
    udp.multicastTimeToLive = value;
    return value;
  }

  /** Has no effect: multicasts of this host do not come back to it. */
  setMulticastLoopback(flag: boolean): boolean {
    this.bound('setMulticastLoopback');
    return flag;
  }

  /** Has no effect: there is one interface. */
  setMulticastInterface(multicastInterface: string): void {
    const text = stringArgument('interfaceAddress', multicastInterface);
    this.bound('setMulticastInterface');
    const address = ipv4Of(text);
    if (address === undefined) throw new SocketError('EINVAL', 'setMulticastInterface');
  }

  /** Only for 224.0.0.1, of which every host is a member; other groups would need IGMP: `EOPNOTSUPP`. */
  addMembership(multicastAddress: string, _multicastInterface?: string): void {
    this.#checkGroup('addMembership', multicastAddress);
    if (this.#joined) throw new SocketError('EADDRINUSE', 'addMembership');
    this.#joined = true;
  }

  dropMembership(multicastAddress: string, _multicastInterface?: string): void {
    this.#checkGroup('dropMembership', multicastAddress);
    if (!this.#joined) throw new SocketError('EADDRNOTAVAIL', 'dropMembership');
    this.#joined = false;
  }

  /** Not supported: `EOPNOTSUPP`. */
  addSourceSpecificMembership(sourceAddress: string, groupAddress: string, _interface?: string): void {
    this.#refuseSourceSpecific('addSourceSpecificMembership', sourceAddress, groupAddress);
  }

  /** Not supported: `EOPNOTSUPP`. */
  dropSourceSpecificMembership(sourceAddress: string, groupAddress: string, _interface?: string): void {
    this.#refuseSourceSpecific('dropSourceSpecificMembership', sourceAddress, groupAddress);
  }

  getRecvBufferSize(): number {
    return this.#recvBufferSize;
  }

  setRecvBufferSize(size: number): void {
    this.#recvBufferSize = bufferSizeArgument(size);
  }

  getSendBufferSize(): number {
    return this.#sendBufferSize;
  }

  setSendBufferSize(size: number): void {
    this.#sendBufferSize = bufferSizeArgument(size);
  }

  #checkGroup(syscall: string, text: string | undefined): void {
    this.checkRunning();
    if (text === undefined) throw missingArgument('multicastAddress');
    const group = ipv4Of(text);
    if (group?.isMulticast !== true) throw new SocketError('EINVAL', syscall);
    if (group.value !== ALL_HOSTS) throw new SocketError('EOPNOTSUPP', syscall);
  }

  #refuseSourceSpecific(syscall: string, sourceAddress: unknown, groupAddress: unknown): never {
    stringArgument('sourceAddress', sourceAddress);
    stringArgument('groupAddress', groupAddress);
    this.checkRunning();
    throw new SocketError('EOPNOTSUPP', syscall);
  }
}

function ipv4Of(text: string): Ipv4Address | undefined {
  return isIPv4(text) ? Ipv4Address.parse(text) : undefined;
}

function isOctet(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 255;
}
