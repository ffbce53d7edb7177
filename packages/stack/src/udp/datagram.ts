// The UDP header (RFC 768): a view, a value, and how to write it.
import { addToSum, finishChecksum, type Ipv4Address, pseudoHeaderSum, readU16, writeU16 } from '@rfsis/link';
import { IPV4_HEADER_OCTETS, IPV4_MAX_OCTETS, IpProtocol } from '../ipv4/packet.js';

// Field offsets
const SOURCE_PORT = 0;
const DESTINATION_PORT = 2;
const LENGTH = 4;
/** Where the checksum lies in the header. */
export const UDP_CHECKSUM = 6;

export const UDP_HEADER_OCTETS = 8;
/** The longest payload: 65,507 octets. */
export const UDP_MAX_PAYLOAD = IPV4_MAX_OCTETS - IPV4_HEADER_OCTETS - UDP_HEADER_OCTETS;

/** Why octets are no UDP datagram. */
export type UdpDefect = 'udp-truncated' | 'udp-length';

/** The plain value of a datagram. */
export interface UdpPacket {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/** A view of one received datagram; see {@link UdpView.read}. One instance serves any number of datagrams in turn. */
export class UdpView {
  #bytes: Uint8Array = new Uint8Array(UDP_HEADER_OCTETS);
  #offset = 0;
  /** Octets of the datagram, header included. */
  length = UDP_HEADER_OCTETS;

  /**
   * @param end offset after the last octet of the IP payload; what follows the datagram is left out
   * @returns undefined when the datagram is readable, otherwise what is wrong with it
   */
  read(bytes: Uint8Array, offset: number, end: number): UdpDefect | undefined {
    if (end > bytes.length || end - offset < UDP_HEADER_OCTETS) return 'udp-truncated';
    const length = readU16(bytes, offset + LENGTH);
    if (length < UDP_HEADER_OCTETS || offset + length > end) return 'udp-length';
    this.#bytes = bytes;
    this.#offset = offset;
    this.length = length;
    return undefined;
  }

  get sourcePort(): number {
    return readU16(this.#bytes, this.#offset + SOURCE_PORT);
  }

  get destinationPort(): number {
    return readU16(this.#bytes, this.#offset + DESTINATION_PORT);
  }

  /** 0 when the sender has computed none. */
  get checksum(): number {
    return readU16(this.#bytes, this.#offset + UDP_CHECKSUM);
  }

  get payloadOffset(): number {
    return this.#offset + UDP_HEADER_OCTETS;
  }

  /** Offset after the last octet of the payload. */
  get payloadEnd(): number {
    return this.#offset + this.length;
  }
}

/** Reads a datagram, without judging its checksum; undefined when there is none. {@link UdpView.read} tells why. */
export function parseUdp(bytes: Uint8Array, offset = 0, end: number = bytes.length): UdpPacket | undefined {
  const view = new UdpView();
  if (view.read(bytes, offset, end) !== undefined) return undefined;
  return {
    sourcePort: view.sourcePort,
    destinationPort: view.destinationPort,
    payload: Uint8Array.from(bytes.subarray(view.payloadOffset, view.payloadEnd)),
  };
}

/**
 * Writes a datagram, checksum included, at `offset`.
 * @returns the offset after it
 */
export function emitUdp(
  bytes: Uint8Array,
  offset: number,
  source: Ipv4Address,
  destination: Ipv4Address,
  packet: UdpPacket,
): number {
  bytes.set(packet.payload, offset + UDP_HEADER_OCTETS);
  const length = UDP_HEADER_OCTETS + packet.payload.length;
  emitUdpHeader(
    bytes,
    offset,
    length,
    source.value,
    destination.value,
    packet.sourcePort,
    packet.destinationPort,
  );
  return offset + length;
}

/** Writes the header, checksum included, in front of a payload that is in place already. */
export function emitUdpHeader(
  bytes: Uint8Array,
  offset: number,
  length: number,
  source: number,
  destination: number,
  sourcePort: number,
  destinationPort: number,
): void {
  writeU16(bytes, offset + SOURCE_PORT, sourcePort);
  writeU16(bytes, offset + DESTINATION_PORT, destinationPort);
  writeU16(bytes, offset + LENGTH, length);
  writeU16(bytes, offset + UDP_CHECKSUM, 0);
  const pseudo = pseudoHeaderSum(source, destination, IpProtocol.udp, length);
  const sum = finishChecksum(addToSum(pseudo, bytes, offset, length));
  // RFC 768: a computed checksum of zero is sent as all ones; zero means that there is none.
  writeU16(bytes, offset + UDP_CHECKSUM, sum === 0 ? 0xffff : sum);
}
