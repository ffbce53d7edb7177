// ICMP messages (RFC 792, 1191, 1812): a view, a value, and how to write one.
import { checksum, readU16, readU32, writeU16, writeU32, writeU8 } from '@rfsis/link';

// Field offsets
const TYPE = 0;
const CODE = 1;
const CHECKSUM = 2;
const REST = 4;

/** Octets before the data, or before the quoted datagram. */
export const ICMP_HEADER_OCTETS = 8;

/** Message types that matter here. */
export const IcmpType = {
  echoReply: 0,
  destinationUnreachable: 3,
  sourceQuench: 4,
  redirect: 5,
  echoRequest: 8,
  timeExceeded: 11,
  parameterProblem: 12,
} as const;

/** Codes of "destination unreachable". */
export const UnreachableCode = {
  network: 0,
  host: 1,
  protocol: 2,
  port: 3,
  fragmentationNeeded: 4,
  sourceRouteFailed: 5,
} as const;

/** Codes of "time exceeded". */
export const TimeExceededCode = { inTransit: 0, reassembly: 1 } as const;

/** Why octets are no ICMP message. */
export type IcmpDefect = 'icmp-truncated' | 'icmp-checksum';

/** Whether a type is one of the errors, which quote a datagram and are never answered with an error. */
export function isIcmpError(type: number): boolean {
  return (
    type === IcmpType.destinationUnreachable ||
    type === IcmpType.sourceQuench ||
    type === IcmpType.redirect ||
    type === IcmpType.timeExceeded ||
    type === IcmpType.parameterProblem
  );
}

/** The plain value of a message. */
export interface IcmpMessage {
  readonly type: number;
  readonly code: number;
  /** The four octets after the checksum, as unsigned integer: identifier and sequence, next-hop MTU, pointer. */
  readonly rest: number;
  /** Echo data, or the quoted datagram. */
  readonly data: Uint8Array;
}

/** A view of one received message; see {@link IcmpView.read}. One instance serves any number of messages in turn. */
export class IcmpView {
  #bytes: Uint8Array = new Uint8Array(ICMP_HEADER_OCTETS);
  #offset = 0;
  /** Where the data, or the quoted datagram, begins. */
  dataOffset = ICMP_HEADER_OCTETS;
  /** Offset after the last octet. */
  end = ICMP_HEADER_OCTETS;

  /**
   * @param verified whether the checksum is known to be right
   * @returns undefined when the message is readable, otherwise what is wrong with it
   */
  read(bytes: Uint8Array, offset: number, end: number, verified = false): IcmpDefect | undefined {
    if (end > bytes.length || end - offset < ICMP_HEADER_OCTETS) return 'icmp-truncated';
    if (!verified && checksum(bytes, offset, end - offset) !== 0) return 'icmp-checksum';
    this.#bytes = bytes;
    this.#offset = offset;
    this.dataOffset = offset + ICMP_HEADER_OCTETS;
    this.end = end;
    return undefined;
  }

  get type(): number {
    return this.#bytes[this.#offset + TYPE] as number;
  }

  get code(): number {
    return this.#bytes[this.#offset + CODE] as number;
  }

  /** The four octets after the checksum. */
  get rest(): number {
    return readU32(this.#bytes, this.#offset + REST);
  }

  /** Of an echo. */
  get identifier(): number {
    return readU16(this.#bytes, this.#offset + REST);
  }

  /** Of an echo. */
  get sequence(): number {
    return readU16(this.#bytes, this.#offset + REST + 2);
  }

  /** Of "fragmentation needed" (RFC 1191 4); 0 from a router that does not tell. */
  get nextHopMtu(): number {
    return readU16(this.#bytes, this.#offset + REST + 2);
  }
}

/** Reads a message; undefined when there is none. {@link IcmpView.read} tells why. */
export function parseIcmp(
  bytes: Uint8Array,
  offset = 0,
  end: number = bytes.length,
): IcmpMessage | undefined {
  const view = new IcmpView();
  if (view.read(bytes, offset, end) !== undefined) return undefined;
  return {
    type: view.type,
    code: view.code,
    rest: view.rest,
    data: Uint8Array.from(bytes.subarray(view.dataOffset, end)),
  };
}

/**
 * Writes a message, checksum included, at `offset`.
 * @returns the offset after it
 */
export function emitIcmp(bytes: Uint8Array, offset: number, message: IcmpMessage): number {
  bytes.set(message.data, offset + ICMP_HEADER_OCTETS);
  const end = offset + ICMP_HEADER_OCTETS + message.data.length;
  emitIcmpHeader(bytes, offset, end, message.type, message.code, message.rest);
  return end;
}

/** Writes the header in front of data that is in place already: `bytes[offset + 8]` to `bytes[end - 1]`. */
export function emitIcmpHeader(
  bytes: Uint8Array,
  offset: number,
  end: number,
  type: number,
  code: number,
  rest: number,
): void {
  writeU8(bytes, offset + TYPE, type);
  writeU8(bytes, offset + CODE, code);
  writeU16(bytes, offset + CHECKSUM, 0);
  writeU32(bytes, offset + REST, rest);
  writeU16(bytes, offset + CHECKSUM, checksum(bytes, offset, end - offset));
}
