// The IPv4 header (RFC 791): a view, a value, and how to write it. Options are skipped on input and never sent.
import {
  addToSum,
  checksum,
  finishChecksum,
  Ipv4Address,
  readU16,
  readU32,
  writeU16,
  writeU32,
  writeU8,
} from '@rfsis/link';

// Field offsets, RFC 791 3.1
const VERSION_IHL = 0;
const TYPE_OF_SERVICE = 1;
const TOTAL_LENGTH = 2;
const IDENTIFICATION = 4;
const FLAGS_FRAGMENT = 6;
const TIME_TO_LIVE = 8;
const PROTOCOL = 9;
const HEADER_CHECKSUM = 10;
const SOURCE = 12;
const DESTINATION = 16;

/** Octets of a header without options. */
export const IPV4_HEADER_OCTETS = 20;
/** Octets of the longest header. */
export const IPV4_MAX_HEADER_OCTETS = 60;
/** Octets of the longest datagram, header included. */
export const IPV4_MAX_OCTETS = 0xffff;
/** The flags of the flags-and-offset word. */
export const Ipv4Flag = { dontFragment: 0x4000, moreFragments: 0x2000 } as const;
const OFFSET_MASK = 0x1fff;

/** Numbers of the protocols above. */
export const IpProtocol = { icmp: 1, tcp: 6, udp: 17 } as const;

/** Why octets are no IPv4 datagram. */
export type Ipv4Defect =
  'ipv4-truncated' | 'ipv4-version' | 'ipv4-header-length' | 'ipv4-total-length' | 'ipv4-header-checksum';

/** The plain value of an IPv4 header without options. */
export interface Ipv4Header {
  readonly typeOfService: number;
  /** Octets of the datagram, header included. */
  readonly totalLength: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In octets, a multiple of 8. */
  readonly fragmentOffset: number;
  readonly timeToLive: number;
  readonly protocol: number;
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
}

/**
 * A view of one received datagram or fragment. Point it at octets with {@link Ipv4View.read}; when that returned no
 * defect, no accessor can fail. One instance serves any number of datagrams in turn.
 */
export class Ipv4View {
  #bytes: Uint8Array = new Uint8Array(IPV4_HEADER_OCTETS);
  #offset = 0;
  /** Octets of the header, options included. */
  headerLength = IPV4_HEADER_OCTETS;
  /** Octets of the datagram, header included. */
  totalLength = IPV4_HEADER_OCTETS;

  /**
   * @param end offset after the last octet of the Ethernet payload; padding after the datagram is left out
   * @returns undefined when the datagram is readable, otherwise what is wrong with it
   */
  read(bytes: Uint8Array, offset: number, end: number): Ipv4Defect | undefined {
    const defect = this.#readStart(bytes, offset, end);
    if (defect !== undefined) return defect;
    if (this.totalLength < this.headerLength || offset + this.totalLength > end) return 'ipv4-total-length';
    // RFC 1122 3.2.1.2: a host MUST verify the IP header checksum and silently discard a bad datagram.
    if (checksum(bytes, offset, this.headerLength) !== 0) return 'ipv4-header-checksum';
    return undefined;
  }

  /**
   * For the beginning of a datagram quoted by an ICMP error: neither is the rest of it there, nor is the checksum
   * right when the router had changed the header by then.
   */
  readQuoted(bytes: Uint8Array, offset: number, end: number): Ipv4Defect | undefined {
    const defect = this.#readStart(bytes, offset, end);
    if (defect !== undefined) return defect;
    return this.totalLength < this.headerLength ? 'ipv4-total-length' : undefined;
  }

  #readStart(bytes: Uint8Array, offset: number, end: number): Ipv4Defect | undefined {
    if (end > bytes.length || end - offset < IPV4_HEADER_OCTETS) return 'ipv4-truncated';
    const first = bytes[offset + VERSION_IHL] as number;
    // RFC 1122 3.2.1.1: a datagram whose version number is not 4 MUST be silently discarded.
    if (first >>> 4 !== 4) return 'ipv4-version';
    const headerLength = (first & 15) * 4;
    if (headerLength < IPV4_HEADER_OCTETS || offset + headerLength > end) return 'ipv4-header-length';
    this.#bytes = bytes;
    this.#offset = offset;
    this.headerLength = headerLength;
    this.totalLength = readU16(bytes, offset + TOTAL_LENGTH);
    return undefined;
  }

  /** What the header lies in. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Where the header begins. */
  get offset(): number {
    return this.#offset;
  }

  get payloadOffset(): number {
    return this.#offset + this.headerLength;
  }

  /** Offset after the last octet of the payload. */
  get payloadEnd(): number {
    return this.#offset + this.totalLength;
  }

  /** Differentiated services and ECN (RFC 2474, 3168). */
  get typeOfService(): number {
    return this.#bytes[this.#offset + TYPE_OF_SERVICE] as number;
  }

  get identification(): number {
    return readU16(this.#bytes, this.#offset + IDENTIFICATION);
  }

  get dontFragment(): boolean {
    return (readU16(this.#bytes, this.#offset + FLAGS_FRAGMENT) & Ipv4Flag.dontFragment) !== 0;
  }

  get moreFragments(): boolean {
    return (readU16(this.#bytes, this.#offset + FLAGS_FRAGMENT) & Ipv4Flag.moreFragments) !== 0;
  }

  /** In octets. */
  get fragmentOffset(): number {
    return (readU16(this.#bytes, this.#offset + FLAGS_FRAGMENT) & OFFSET_MASK) * 8;
  }

  /** Whether this is a part of a datagram. */
  get isFragment(): boolean {
    return (
      (readU16(this.#bytes, this.#offset + FLAGS_FRAGMENT) & (Ipv4Flag.moreFragments | OFFSET_MASK)) !== 0
    );
  }

  get timeToLive(): number {
    return this.#bytes[this.#offset + TIME_TO_LIVE] as number;
  }

  get protocol(): number {
    return this.#bytes[this.#offset + PROTOCOL] as number;
  }

  /** 32-bit */
  get source(): number {
    return readU32(this.#bytes, this.#offset + SOURCE);
  }

  /** 32-bit */
  get destination(): number {
    return readU32(this.#bytes, this.#offset + DESTINATION);
  }
}

/** Reads a datagram's header; undefined when there is none. {@link Ipv4View.read} tells why. */
export function parseIpv4(bytes: Uint8Array, offset = 0, end: number = bytes.length): Ipv4Header | undefined {
  const view = new Ipv4View();
  if (view.read(bytes, offset, end) !== undefined) return undefined;
  return {
    typeOfService: view.typeOfService,
    totalLength: view.totalLength,
    identification: view.identification,
    dontFragment: view.dontFragment,
    moreFragments: view.moreFragments,
    fragmentOffset: view.fragmentOffset,
    timeToLive: view.timeToLive,
    protocol: view.protocol,
    source: Ipv4Address.fromNumber(view.source),
    destination: Ipv4Address.fromNumber(view.destination),
  };
}

/**
 * Writes a header without options, checksum included, at `offset`.
 * @returns the offset of the payload
 */
export function emitIpv4(bytes: Uint8Array, offset: number, header: Ipv4Header): number {
  const flags =
    (header.dontFragment ? Ipv4Flag.dontFragment : 0) | (header.moreFragments ? Ipv4Flag.moreFragments : 0);
  return emitIpv4Fields(
    bytes,
    offset,
    header.totalLength,
    header.identification,
    flags | (header.fragmentOffset >>> 3),
    header.timeToLive,
    header.typeOfService,
    header.protocol,
    header.source.value,
    header.destination.value,
  );
}

/**
 * {@link emitIpv4} from plain numbers, for hot paths.
 * @param flagsAndOffset the word of flags and fragment offset, the latter in units of eight octets
 */
export function emitIpv4Fields(
  bytes: Uint8Array,
  offset: number,
  totalLength: number,
  identification: number,
  flagsAndOffset: number,
  timeToLive: number,
  typeOfService: number,
  protocol: number,
  source: number,
  destination: number,
): number {
  writeU8(bytes, offset + VERSION_IHL, 0x45);
  writeU8(bytes, offset + TYPE_OF_SERVICE, typeOfService);
  writeU16(bytes, offset + TOTAL_LENGTH, totalLength);
  writeU16(bytes, offset + IDENTIFICATION, identification);
  writeU16(bytes, offset + FLAGS_FRAGMENT, flagsAndOffset);
  writeU8(bytes, offset + TIME_TO_LIVE, timeToLive);
  writeU8(bytes, offset + PROTOCOL, protocol);
  writeU16(bytes, offset + HEADER_CHECKSUM, 0);
  writeU32(bytes, offset + SOURCE, source);
  writeU32(bytes, offset + DESTINATION, destination);
  rewriteChecksum(bytes, offset, IPV4_HEADER_OCTETS);
  return offset + IPV4_HEADER_OCTETS;
}

/** Turns the header of a first fragment, options and all, into that of the whole datagram. */
export function rewriteAsWhole(
  bytes: Uint8Array,
  offset: number,
  headerLength: number,
  totalLength: number,
): void {
  writeU16(bytes, offset + TOTAL_LENGTH, totalLength);
  writeU16(bytes, offset + FLAGS_FRAGMENT, readU16(bytes, offset + FLAGS_FRAGMENT) & Ipv4Flag.dontFragment);
  writeU16(bytes, offset + HEADER_CHECKSUM, 0);
  rewriteChecksum(bytes, offset, headerLength);
}

function rewriteChecksum(bytes: Uint8Array, offset: number, headerLength: number): void {
  writeU16(bytes, offset + HEADER_CHECKSUM, finishChecksum(addToSum(0, bytes, offset, headerLength)));
}
