// All counters of a stack in one object.
import type { ArpCounters } from '@rfsis/arp';
import type { EthernetDefect } from '@rfsis/link';
import type { IcmpCounters } from './icmp/counters.js';
import type { Ipv4Counters } from './ipv4/counters.js';
import type { UdpCounters } from './udp/counters.js';

/** Why a received frame went no further. */
export type EthernetRxDrop =
  | EthernetDefect
  /** For another MAC address; devices that capture promiscuously deliver those too. */
  | 'mac-foreign'
  /** The source is a multicast or broadcast MAC address. */
  | 'mac-source'
  /** Tagged for a VLAN; frames of priority only (VLAN 0) are taken. */
  | 'vlan'
  /** Neither ARP nor IPv4. */
  | 'ethertype'
  /** Came after `close`. */
  | 'closed';

/** `rxFrames = rxArp + rxIpv4 + sum of rxDrops`. */
export interface EthernetCounters {
  rxFrames: number;
  rxOctets: number;
  /** Handed to ARP. */
  rxArp: number;
  /** Handed to IPv4. */
  rxIpv4: number;
  /** Of which those longer than the MTU: segments merged by a device or a kernel. */
  rxSuperFrames: number;
  readonly rxDrops: Record<EthernetRxDrop, number>;
}

/** Plain numbers since the stack was made; all are there from the start. */
export interface StackCounters {
  readonly ethernet: Readonly<EthernetCounters>;
  readonly arp: Readonly<ArpCounters>;
  readonly ipv4: Readonly<Ipv4Counters>;
  readonly icmp: Readonly<IcmpCounters>;
  readonly udp: Readonly<UdpCounters>;
}

/** All zero. */
export function newEthernetCounters(): EthernetCounters {
  return {
    rxFrames: 0,
    rxOctets: 0,
    rxArp: 0,
    rxIpv4: 0,
    rxSuperFrames: 0,
    rxDrops: {
      'ethernet-truncated': 0,
      'vlan-truncated': 0,
      'mac-foreign': 0,
      'mac-source': 0,
      vlan: 0,
      ethertype: 0,
      closed: 0,
    },
  };
}
