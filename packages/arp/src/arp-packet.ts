// The ARP packet for Ethernet and IPv4 (RFC 826): a view, a value, and how to write it. What a packet means to a host
// is the business of arp-endpoint.ts.
import {
  Ipv4Address,
  MacAddress,
  readU16,
  readU32,
  readU48,
  writeU16,
  writeU32,
  writeU48,
} from '@rfsis/link';

// Field offsets, with the names of RFC 826
const HARDWARE = 0;
const PROTOCOL = 2;
const LENGTHS = 4;
const OPERATION = 6;
const SENDER_MAC = 8;
const SENDER_IP = 14;
const TARGET_MAC = 18;
const TARGET_IP = 24;

/** ar$hrd of Ethernet. */
const HARDWARE_ETHERNET = 1;
/** ar$pro of IPv4: its EtherType. */
const PROTOCOL_IPV4 = 0x0800;
/** ar$hln and ar$pln in one word: 6 and 4. */
const LENGTHS_ETHERNET_IPV4 = 0x0604;

/** Octets of an ARP packet for Ethernet and IPv4, without what follows it in the frame. */
export const ARP_OCTETS = 28;

/** ar$op */
export const ArpOperation = { request: 1, reply: 2 } as const;
export type ArpOperation = (typeof ArpOperation)[keyof typeof ArpOperation];

/** The plain value of an ARP packet. */
export interface ArpPacket {
  /** {@link ArpOperation}, or another number of the registry (RARP, InARP). */
  readonly operation: number;
  readonly senderMac: MacAddress;
  readonly senderIp: Ipv4Address;
  readonly targetMac: MacAddress;
  readonly targetIp: Ipv4Address;
}

/** Why octets are no ARP packet for Ethernet and IPv4. */
export type ArpDefect = 'arp-truncated' | 'arp-hardware-type' | 'arp-protocol-type' | 'arp-address-length';

/**
 * A view of one received ARP packet. Point it at the octets with {@link ArpView.read}; when that returned no defect, no
 * accessor can fail. One instance serves any number of packets in turn.
 */
export class ArpView {
  #bytes: Uint8Array = new Uint8Array(ARP_OCTETS);
  #offset = 0;
  /** Where the octets after the packet begin: padding of a short frame, or a trailer. */
  trailerOffset = ARP_OCTETS;

  /**
   * @param end offset after the last octet of the Ethernet payload
   * @returns undefined when the packet is readable, otherwise what is wrong with it
   */
  read(bytes: Uint8Array, offset: number, end: number): ArpDefect | undefined {
    if (end > bytes.length || end - offset < ARP_OCTETS) return 'arp-truncated';
    // RFC 826 "Packet Reception": ?Do I have the hardware type in ar$hrd?
    if (readU16(bytes, offset + HARDWARE) !== HARDWARE_ETHERNET) return 'arp-hardware-type';
    // RFC 826: ?Do I speak the protocol in ar$pro?
    if (readU16(bytes, offset + PROTOCOL) !== PROTOCOL_IPV4) return 'arp-protocol-type';
    // RFC 826: [optionally check the hardware length ar$hln and the protocol length ar$pln]
    if (readU16(bytes, offset + LENGTHS) !== LENGTHS_ETHERNET_IPV4) return 'arp-address-length';
    this.#bytes = bytes;
    this.#offset = offset;
    this.trailerOffset = offset + ARP_OCTETS;
    return undefined;
  }

  /** ar$op: {@link ArpOperation} or another number. */
  get operation(): number {
    return readU16(this.#bytes, this.#offset + OPERATION);
  }

  /** ar$sha as 48-bit integer. */
  get senderMac(): number {
    return readU48(this.#bytes, this.#offset + SENDER_MAC);
  }

  /** ar$spa as 32-bit integer. */
  get senderIp(): number {
    return readU32(this.#bytes, this.#offset + SENDER_IP);
  }

  /** ar$tha as 48-bit integer. */
  get targetMac(): number {
    return readU48(this.#bytes, this.#offset + TARGET_MAC);
  }

  /** ar$tpa as 32-bit integer. */
  get targetIp(): number {
    return readU32(this.#bytes, this.#offset + TARGET_IP);
  }
}

/** Reads an ARP packet for Ethernet and IPv4; undefined when there is none. {@link ArpView.read} tells why. */
export function parseArp(bytes: Uint8Array, offset = 0, end: number = bytes.length): ArpPacket | undefined {
  const view = new ArpView();
  if (view.read(bytes, offset, end) !== undefined) return undefined;
  return {
    operation: view.operation,
    senderMac: MacAddress.fromNumber(view.senderMac),
    senderIp: Ipv4Address.fromNumber(view.senderIp),
    targetMac: MacAddress.fromNumber(view.targetMac),
    targetIp: Ipv4Address.fromNumber(view.targetIp),
  };
}

/**
 * Writes the {@link ARP_OCTETS} of an ARP packet at `offset`.
 * @returns the offset after it
 */
export function emitArp(bytes: Uint8Array, offset: number, packet: ArpPacket): number {
  return emitArpFields(
    bytes,
    offset,
    packet.operation,
    packet.senderMac.value,
    packet.senderIp.value,
    packet.targetMac.value,
    packet.targetIp.value,
  );
}

/** {@link emitArp} from plain numbers, for hot paths. */
export function emitArpFields(
  bytes: Uint8Array,
  offset: number,
  operation: number,
  senderMac: number,
  senderIp: number,
  targetMac: number,
  targetIp: number,
): number {
  writeU16(bytes, offset + HARDWARE, HARDWARE_ETHERNET);
  writeU16(bytes, offset + PROTOCOL, PROTOCOL_IPV4);
  writeU16(bytes, offset + LENGTHS, LENGTHS_ETHERNET_IPV4);
  writeU16(bytes, offset + OPERATION, operation);
  writeU48(bytes, offset + SENDER_MAC, senderMac);
  writeU32(bytes, offset + SENDER_IP, senderIp);
  writeU48(bytes, offset + TARGET_MAC, targetMac);
  writeU32(bytes, offset + TARGET_IP, targetIp);
  return offset + ARP_OCTETS;
}
