// Ethernet II frames (IEEE 802.3, RFC 894) with 802.1Q tags. The frame check sequence is the hardware's business.
import type { MacAddress } from './mac-address.js';
import { readU16, readU48, writeU16, writeU48 } from './octets.js';

// Field offsets
const DESTINATION = 0;
const SOURCE = 6;
const TYPE = 12;

/** Octets of an untagged Ethernet header. */
export const ETHERNET_HEADER_OCTETS = 14;
/** Smallest frame on the wire, without the frame check sequence; shorter ones are padded by the sender. */
export const ETHERNET_MIN_OCTETS = 60;
/** Octets of one 802.1Q tag. */
export const VLAN_TAG_OCTETS = 4;
/** Values of the length/type field below this are lengths (IEEE 802.3, 3.2.6). */
export const ETHERTYPE_MIN = 0x0600;

/** EtherTypes that matter here. */
export const EtherType = {
  ipv4: 0x0800,
  arp: 0x0806,
  /** 802.1Q customer tag */
  vlan: 0x8100,
  /** 802.1ad service tag */
  serviceVlan: 0x88a8,
} as const;

/** The plain value of an Ethernet header. */
export interface EthernetHeader {
  readonly destination: MacAddress;
  readonly source: MacAddress;
  readonly etherType: number;
}

/** Why a frame has no readable Ethernet header. */
export type EthernetDefect = 'ethernet-truncated' | 'vlan-truncated';

/**
 * A view of one received frame. Point it at a frame with {@link EthernetView.read}; when that returned no defect, no
 * accessor can fail. One instance serves any number of frames in turn.
 */
export class EthernetView {
  #bytes: Uint8Array = new Uint8Array(ETHERNET_HEADER_OCTETS);
  #offset = 0;
  /** Type of the payload, behind all tags; below {@link ETHERTYPE_MIN} it is an 802.3 length. */
  etherType = 0;
  /** Where the payload begins in the bytes given to {@link EthernetView.read}. */
  payloadOffset = ETHERNET_HEADER_OCTETS;
  /** 802.1Q VLAN identifier of the outermost tag; 0 for untagged and priority-tagged frames. */
  vlanId = 0;

  /** @returns undefined when the frame is readable, otherwise what is wrong with it */
  read(bytes: Uint8Array, offset: number, length: number): EthernetDefect | undefined {
    if (length < ETHERNET_HEADER_OCTETS) return 'ethernet-truncated';
    this.#bytes = bytes;
    this.#offset = offset;
    this.vlanId = 0;
    const end = offset + length;
    let typeOffset = offset + TYPE;
    let type = readU16(bytes, typeOffset);
    while (type === EtherType.vlan || type === EtherType.serviceVlan) {
      if (typeOffset + 2 + VLAN_TAG_OCTETS > end) return 'vlan-truncated';
      if (this.vlanId === 0) this.vlanId = readU16(bytes, typeOffset + 2) & 0xfff;
      typeOffset += VLAN_TAG_OCTETS;
      type = readU16(bytes, typeOffset);
    }
    this.etherType = type;
    this.payloadOffset = typeOffset + 2;
    return undefined;
  }

  /** Destination MAC as 48-bit integer. */
  get destination(): number {
    return readU48(this.#bytes, this.#offset + DESTINATION);
  }

  /** Source MAC as 48-bit integer. */
  get source(): number {
    return readU48(this.#bytes, this.#offset + SOURCE);
  }
}

/**
 * Writes an untagged Ethernet header at `offset`.
 * @returns the offset of the payload
 */
export function emitEthernet(bytes: Uint8Array, offset: number, header: EthernetHeader): number {
  return emitEthernetHeader(bytes, offset, header.destination.value, header.source.value, header.etherType);
}

/** {@link emitEthernet} from 48-bit integers, for hot paths. */
export function emitEthernetHeader(
  bytes: Uint8Array,
  offset: number,
  destination: number,
  source: number,
  etherType: number,
): number {
  writeU48(bytes, offset + DESTINATION, destination);
  writeU48(bytes, offset + SOURCE, source);
  writeU16(bytes, offset + TYPE, etherType);
  return offset + ETHERNET_HEADER_OCTETS;
}
