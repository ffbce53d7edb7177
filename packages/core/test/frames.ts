// Frames for tests, octet for octet.
import { ArpOperation, emitArp } from '@rfsis/arp';
import {
  ETHERNET_MIN_OCTETS,
  EtherType,
  Ipv4Address,
  MacAddress,
  checksum,
  emitEthernetHeader,
  writeU16,
  writeU32,
} from '@rfsis/link';

/** 02:00:00:00:00:<number> */
export function macOf(number: number): MacAddress {
  return MacAddress.fromNumber(0x0200_0000_0000 + number);
}

/** Where a frame of these functions comes from and goes to, by default macOf(1) to macOf(2). */
export interface Way {
  readonly source?: MacAddress;
  readonly destination?: MacAddress;
}

/** An IPv4 datagram without content, of the experimental protocol 253. */
export function ipv4Frame(sourceIp: string, destinationIp: string, way: Way = {}): Uint8Array {
  const { source = macOf(1), destination = macOf(2) } = way;
  const frame = new Uint8Array(ETHERNET_MIN_OCTETS);
  const start = emitEthernetHeader(frame, 0, destination.value, source.value, EtherType.ipv4);
  frame[start] = 0x45;
  writeU16(frame, start + 2, 20);
  writeU16(frame, start + 8, 0x01fd);
  writeU32(frame, start + 12, Ipv4Address.parse(sourceIp).value);
  writeU32(frame, start + 16, Ipv4Address.parse(destinationIp).value);
  writeU16(frame, start + 10, checksum(frame, start, 20));
  return frame;
}

/** An ARP request of `source`. */
export function arpFrame(senderIp: string, targetIp: string, way: Way = {}): Uint8Array {
  const { source = macOf(1), destination = MacAddress.BROADCAST } = way;
  const frame = new Uint8Array(ETHERNET_MIN_OCTETS);
  const start = emitEthernetHeader(frame, 0, destination.value, source.value, EtherType.arp);
  emitArp(frame, start, {
    operation: ArpOperation.request,
    senderMac: source,
    senderIp: Ipv4Address.parse(senderIp),
    targetMac: MacAddress.ZERO,
    targetIp: Ipv4Address.parse(targetIp),
  });
  return frame;
}

/** The same frame with an 802.1Q tag. */
export function tagged(frame: Uint8Array, tag: number): Uint8Array {
  const longer = new Uint8Array(frame.length + 4);
  longer.set(frame.subarray(0, 12));
  writeU16(longer, 12, EtherType.vlan);
  writeU16(longer, 14, tag);
  longer.set(frame.subarray(12), 16);
  return longer;
}
