// Echo requests of this host and those who wait for the replies (RFC 792, RFC 1122 3.2.2.6).
import { type Clock, Ipv4Address, type Random, readU16, readU8, type Timer } from '@rfsis/link';
import { StackError } from '../errors.js';
import type { Ipv4Layer } from '../ipv4/ipv4-layer.js';
import { IPV4_HEADER_OCTETS, IPV4_MAX_OCTETS, IpProtocol } from '../ipv4/packet.js';
import type { ErrorReport, InboundPacket } from '../ipv4/protocol.js';
import { type Fragmentation, type SendOutcome, TRANSMIT_PAYLOAD } from '../ipv4/transmitter.js';
import type { IcmpCounters } from './counters.js';
import { emitIcmpHeader, ICMP_HEADER_OCTETS, IcmpType, type IcmpView } from './message.js';

/** Echo requests that may wait for replies at the same time; more are refused. */
const MAX_PENDING = 256;
/** The longest data of an echo. */
export const MAX_ECHO_OCTETS = IPV4_MAX_OCTETS - IPV4_HEADER_OCTETS - ICMP_HEADER_OCTETS;

/** Options of a ping. */
export interface PingOptions {
  /** Sent from this address of ours; default: the one of the route. */
  readonly source?: Ipv4Address;
  /** Octets of data, 0 to 65,507; default 56. */
  readonly octets?: number;
  /** Default 1,000. */
  readonly timeoutMs?: number;
  /** 1 to 255; default 64. */
  readonly timeToLive?: number;
  /** Default `path`. */
  readonly fragmentation?: Fragmentation;
}

/** An answered echo request. */
export interface PingReply {
  readonly address: Ipv4Address;
  /** Octets of data that came back. */
  readonly octets: number;
  readonly roundTripMs: number;
  /** TTL of the reply as it arrived. */
  readonly timeToLive: number;
}

interface Pending {
  readonly destination: number;
  readonly sequence: number;
  readonly data: Uint8Array;
  readonly sentMs: number;
  readonly timer: Timer;
  readonly resolve: (reply: PingReply) => void;
  readonly reject: (error: StackError) => void;
}

/** Each request has an identifier of its own, chosen at random, and random data: a reply cannot be forged blindly. */
export class Pinger {
  readonly #ipv4: Ipv4Layer;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #counters: IcmpCounters;
  readonly #pending = new Map<number, Pending>();
  #closed = false;

  constructor(ipv4: Ipv4Layer, clock: Clock, random: Random, counters: IcmpCounters) {
    this.#ipv4 = ipv4;
    this.#clock = clock;
    this.#random = random;
    this.#counters = counters;
  }

  /** Sends one echo request. Rejects with a {@link StackError}. */
  ping(address: Ipv4Address, options: PingOptions): Promise<PingReply> {
    return new Promise((resolve, reject) => {
      const problem = this.#start(address, options, resolve, reject);
      if (problem !== undefined) reject(problem);
    });
  }

  /** @returns whether somebody waited for this echo reply */
  receiveReply(packet: InboundPacket, bytes: Uint8Array, message: IcmpView): boolean {
    const { identifier } = message;
    const pending = this.#pending.get(identifier);
    if (pending?.sequence !== message.sequence || pending.destination !== packet.source) return false;
    const { data } = pending;
    if (message.end - message.dataOffset !== data.length) return false;
    for (let index = 0; index < data.length; index++) {
      if (bytes[message.dataOffset + index] !== data[index]) return false;
    }
    this.#finish(identifier, pending);
    pending.resolve({
      address: Ipv4Address.fromNumber(packet.source),
      octets: data.length,
      roundTripMs: this.#clock.now() - pending.sentMs,
      timeToLive: packet.timeToLive,
    });
    return true;
  }

  /** Whether a quoted ICMP message is an echo request that waits. */
  recognises(report: ErrorReport): boolean {
    return this.#quotedRequest(report) !== undefined;
  }

  receiveError(report: ErrorReport): void {
    const pending = this.#quotedRequest(report);
    if (pending === undefined) return;
    this.#finish(readU16(report.bytes, report.offset + 4), pending);
    const reporter = report.reporter === 0 ? 'this host' : Ipv4Address.fromNumber(report.reporter).toString();
    const destination = Ipv4Address.fromNumber(pending.destination).toString();
    pending.reject(
      new StackError(
        'RFSIS_STACK_PING_UNREACHABLE',
        `${destination} cannot be reached: ${reporter} reports ICMP type ${report.type} code ${report.code}`,
      ),
    );
  }

  /** Ends all that wait; no others can be started. */
  close(): void {
    this.#closed = true;
    for (const [identifier, pending] of this.#pending) {
      this.#finish(identifier, pending);
      pending.reject(new StackError('RFSIS_STACK_STATE', 'the stack was closed before the reply came'));
    }
  }

  #start(
    address: Ipv4Address,
    options: PingOptions,
    resolve: Pending['resolve'],
    reject: Pending['reject'],
  ): StackError | undefined {
    if (this.#closed) return new StackError('RFSIS_STACK_STATE', 'the stack is closed');
    const { octets = 56, timeToLive = 64, timeoutMs = 1000 } = options;
    const problem = optionProblem(octets, timeToLive, timeoutMs);
    if (problem !== undefined) return problem;
    if (this.#pending.size >= MAX_PENDING) {
      return new StackError('RFSIS_STACK_LIMIT', `${MAX_PENDING} echo requests are waiting already`);
    }
    let identifier: number;
    do identifier = this.#random.uint32() >>> 16;
    while (this.#pending.has(identifier));
    const sequence = this.#random.uint32() >>> 16;
    const data = new Uint8Array(octets);
    this.#random.fill(data);
    const outcome = this.#send(address.value, identifier, sequence, data, timeToLive, options);
    if (outcome !== 'sent' && outcome !== 'held') {
      return new StackError(
        'RFSIS_STACK_PING_UNSENT',
        `no echo request could be sent to ${address.toString()}: ${outcome}`,
      );
    }
    const timer = this.#clock.setTimer(timeoutMs, () => {
      this.#pending.delete(identifier);
      reject(
        new StackError(
          'RFSIS_STACK_PING_TIMEOUT',
          `no echo reply from ${address.toString()} within ${timeoutMs} ms`,
        ),
      );
    });
    const sentMs = this.#clock.now();
    this.#pending.set(identifier, {
      destination: address.value,
      sequence,
      data,
      sentMs,
      timer,
      resolve,
      reject,
    });
    return undefined;
  }

  #send(
    destination: number,
    identifier: number,
    sequence: number,
    data: Uint8Array,
    timeToLive: number,
    options: PingOptions,
  ): SendOutcome {
    const { buffer } = this.#ipv4.transmitter;
    buffer.set(data, TRANSMIT_PAYLOAD + ICMP_HEADER_OCTETS);
    const length = ICMP_HEADER_OCTETS + data.length;
    const rest = identifier * 0x1_0000 + sequence;
    emitIcmpHeader(buffer, TRANSMIT_PAYLOAD, TRANSMIT_PAYLOAD + length, IcmpType.echoRequest, 0, rest);
    const source = options.source?.value ?? this.#ipv4.selectSource(destination);
    const outcome = this.#ipv4.send(source, destination, IpProtocol.icmp, length, {
      timeToLive,
      typeOfService: 0,
      fragmentation: options.fragmentation ?? 'path',
    });
    if (outcome === 'sent' || outcome === 'held') this.#counters.txEchoRequests++;
    else this.#counters.txDrops.unsent++;
    return source === 0 ? 'no-route' : outcome;
  }

  #quotedRequest(report: ErrorReport): Pending | undefined {
    const { bytes, offset, quoted } = report;
    if (readU8(bytes, offset) !== IcmpType.echoRequest) return undefined;
    const pending = this.#pending.get(readU16(bytes, offset + 4));
    const matches =
      pending?.destination === quoted.destination && pending.sequence === readU16(bytes, offset + 6);
    return matches ? pending : undefined;
  }

  #finish(identifier: number, pending: Pending): void {
    this.#pending.delete(identifier);
    pending.timer.cancel();
  }
}

function optionProblem(octets: number, timeToLive: number, timeoutMs: number): StackError | undefined {
  const invalid = (what: string): StackError =>
    new StackError('RFSIS_STACK_OPTION_INVALID', `an echo request cannot be sent with ${what}`);
  if (!Number.isInteger(octets) || octets < 0 || octets > MAX_ECHO_OCTETS) {
    return invalid(`octets ${octets}: expected 0 to ${MAX_ECHO_OCTETS}`);
  }
  // RFC 1122 3.2.1.7: a host MUST NOT send a datagram with a TTL of zero.
  if (!Number.isInteger(timeToLive) || timeToLive < 1 || timeToLive > 255) {
    return invalid(`timeToLive ${timeToLive}: expected 1 to 255`);
  }
  return timeoutMs >= 0 ? undefined : invalid(`timeoutMs ${timeoutMs}: expected milliseconds`);
}
