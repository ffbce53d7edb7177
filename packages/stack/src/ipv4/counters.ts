// What the IPv4 layer counts.
import type { Ipv4Defect } from './packet.js';
import type { FragmentDrop, ReassemblyCounters } from './reassembler.js';

/** Why a received datagram or fragment went no further. */
export type Ipv4RxDrop =
  | Ipv4Defect
  | FragmentDrop
  /** Broadcast, multicast, loopback or 0.0.0.0/8 as source. */
  | 'source-invalid'
  /** It came over the link with a source address of ours. */
  | 'source-own'
  /** For another host; we forward nothing. Multicast groups other than 224.0.0.1 included. */
  | 'destination-foreign'
  /** For one host, but in a broadcast or multicast frame (RFC 1122 3.3.6). */
  | 'unicast-in-group-frame'
  /** Nobody here speaks the protocol. */
  | 'protocol-unknown';

/** Why a datagram was not sent. */
export type Ipv4TxDrop =
  /** Its source is not, or no longer, an address of ours. */
  | 'source-not-owned'
  /** No network of ours and no gateway leads to the destination. */
  | 'no-route'
  /** Longer than the path MTU, and not to be fragmented; or longer than 65,535 octets. */
  | 'too-big'
  /** Too much is on its way within this host. */
  | 'loopback-full'
  /** The next hop cannot be resolved at the moment, or too much is waiting for it. */
  | 'next-hop'
  /** The device refused the frame. */
  | 'device';

/**
 * Counters since the stack was made. Everything taken in has one outcome:
 * `rxPackets + rxReassembled = rxFragments + rxDelivered + sum of rxDrops`.
 */
export interface Ipv4Counters {
  /** Datagrams and fragments from the link, and from this host itself. */
  rxPackets: number;
  /** Of which those from this host itself. */
  rxLoopback: number;
  /** Had options, which were skipped. */
  rxWithOptions: number;
  /** Fragments kept. */
  rxFragments: number;
  /** Datagrams put together from fragments. */
  rxReassembled: number;
  /** Whole datagrams handed to a protocol. */
  rxDelivered: number;
  /** Datagrams sent, or held for ARP, whole or in fragments; those to this host itself too. */
  txPackets: number;
  /** Of which those to this host itself. */
  txLoopback: number;
  /** Of which those cut into fragments. */
  txFragmented: number;
  /** Frames of IPv4 that left, or are held for ARP. */
  txFrames: number;
  readonly rxDrops: Record<Ipv4RxDrop, number>;
  /** By datagram. */
  readonly reassembly: ReassemblyCounters;
  readonly txDrops: Record<Ipv4TxDrop, number>;
  /** Frames stopped at the device because their source had ceased to be an address of ours after they were made. */
  txRevoked: number;
}

/** All zero, over the counters of a reassembler. */
export function newIpv4Counters(reassembly: ReassemblyCounters): Ipv4Counters {
  return {
    rxPackets: 0,
    rxLoopback: 0,
    rxWithOptions: 0,
    rxFragments: 0,
    rxReassembled: 0,
    rxDelivered: 0,
    txPackets: 0,
    txLoopback: 0,
    txFragmented: 0,
    txFrames: 0,
    rxDrops: {
      'ipv4-truncated': 0,
      'ipv4-version': 0,
      'ipv4-header-length': 0,
      'ipv4-total-length': 0,
      'ipv4-header-checksum': 0,
      'fragment-duplicate': 0,
      'fragment-overlap': 0,
      'fragment-beyond-end': 0,
      'fragment-too-long': 0,
      'fragment-runs': 0,
      'fragment-empty': 0,
      'fragment-length': 0,
      'fragment-discarded': 0,
      'source-invalid': 0,
      'source-own': 0,
      'destination-foreign': 0,
      'unicast-in-group-frame': 0,
      'protocol-unknown': 0,
    },
    reassembly,
    txDrops: {
      'source-not-owned': 0,
      'no-route': 0,
      'too-big': 0,
      'loopback-full': 0,
      'next-hop': 0,
      device: 0,
    },
    txRevoked: 0,
  };
}
