// The seam between IPv4 and what is carried in it: ICMP, UDP, TCP.
import type { ChecksumState } from '@rfsis/link';
import type { Scope } from './addresses.js';
import { Ipv4View } from './packet.js';

/** A whole datagram as a protocol gets it; valid only during the call. */
export class InboundPacket extends Ipv4View {
  /** Whether it was sent to an address of ours, to all, or to a group. */
  scope: Exclude<Scope, 'foreign'> = 'unicast';
  /** It came in a broadcast or multicast frame. */
  inGroupFrame = false;
  /** It never left this host. */
  viaLoopback = false;
}

/** An ICMP error about a datagram that somebody sent with an address of ours; valid only during the call. */
export interface ErrorReport {
  /** ICMP type and code. */
  readonly type: number;
  readonly code: number;
  /** Who says so, 32-bit; 0 when it is this host itself. */
  readonly reporter: number;
  /** The datagram in question; of its payload only the first octets are there. */
  readonly quoted: Ipv4View;
  /** Storage of the quotation. */
  readonly bytes: Uint8Array;
  /** The payload as far as it is quoted, at least 8 octets. */
  readonly offset: number;
  readonly end: number;
}

/** A protocol above IPv4. Its methods never throw. */
export interface Ipv4Protocol {
  /** As in the IPv4 header, 0 to 255. */
  readonly number: number;
  /** Takes a whole datagram: `bytes[offset]` to `bytes[end - 1]` is the payload. */
  receive(packet: InboundPacket, bytes: Uint8Array, offset: number, end: number, state: ChecksumState): void;
  /** Whether the quoted datagram is one of its own. Errors that it does not recognise are forgeries (RFC 5927). */
  recognises(report: ErrorReport): boolean;
  /** Acts on an error it recognised. The path MTU estimate has been adapted. */
  receiveError(report: ErrorReport): void;
}
