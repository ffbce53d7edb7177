// What an ARP endpoint counts. Every packet taken in ends in exactly one of `accepted` and `rxDrops`.
import type { ArpDefect } from './arp-packet.js';

/** Why a received ARP packet had no effect. */
export type ArpRxDrop =
  | ArpDefect
  /** Neither request nor reply: RARP, InARP, experiments. */
  | 'arp-operation'
  /** Sent by ourselves and looped back. */
  | 'arp-own-frame'
  /** The sender's MAC address is zero, multicast or broadcast. */
  | 'arp-sender-mac'
  /** The sender's IP address is multicast, broadcast or loopback, or zero in a reply. */
  | 'arp-sender-ip'
  /** Came after `close`. */
  | 'arp-closed';

/** Why a frame given to `transmit` was not sent. */
export type ArpTxDrop =
  /** The next hop is no address of a single other host. */
  | 'next-hop-invalid'
  /** Shorter than an Ethernet header, or longer than the device takes. */
  | 'frame-length'
  /** The device refused it (no carrier, full). */
  | 'device-refused'
  /** The next hop did not answer a moment ago. */
  | 'neighbor-failed'
  /** The neighbour cache is full of addresses that are being resolved. */
  | 'cache-full'
  /** Was held; a newer frame took its place, or there was no room at all. */
  | 'hold-overflow'
  /** Was held; the next hop did not answer. */
  | 'neighbor-unresolved'
  /** Was held; its source or next hop stopped or began to be an address of ours. */
  | 'address-changed'
  /** Was held when the endpoint closed, or came after that. */
  | 'closed';

/** Counters of an endpoint since it was made. */
export interface ArpCounters {
  /** Packets taken in, of any kind. */
  received: number;
  /** Packets that were in order, whether or not they changed anything. */
  accepted: number;
  requestsReceived: number;
  repliesReceived: number;
  /** Requests with sender 0.0.0.0 (RFC 5227); also counted as requests. */
  probesReceived: number;
  /** Packets with equal sender and target address; also counted as requests or replies. */
  announcementsReceived: number;
  /** Accepted packets whose sender MAC is not the source of the Ethernet frame: somebody answers for another. */
  proxied: number;
  /** Broadcast requests and unicast polls, to resolve. */
  requestsSent: number;
  repliesSent: number;
  probesSent: number;
  announcementsSent: number;
  defencesSent: number;
  /** ARP packets of ours that the device refused. */
  sendFailures: number;
  /** Trailers left out because they did not fit the MTU. */
  trailersOmitted: number;
  /** Foreign packets that claim an address of ours or one being probed. */
  conflicts: number;
  /** Packets of that kind that `isTrusted` vouched for. */
  trusted: number;
  /** Neighbours that answered a request. */
  resolved: number;
  /** Neighbours given up. */
  unresolved: number;
  /** Neighbours whose MAC address changed. */
  moved: number;
  /** Cache entries that had to make room. */
  evicted: number;
  /** Frames held for an unresolved neighbour. */
  held: number;
  readonly rxDrops: Record<ArpRxDrop, number>;
  readonly txDrops: Record<ArpTxDrop, number>;
}

/** All zero. */
export function newArpCounters(): ArpCounters {
  return {
    received: 0,
    accepted: 0,
    requestsReceived: 0,
    repliesReceived: 0,
    probesReceived: 0,
    announcementsReceived: 0,
    proxied: 0,
    requestsSent: 0,
    repliesSent: 0,
    probesSent: 0,
    announcementsSent: 0,
    defencesSent: 0,
    sendFailures: 0,
    trailersOmitted: 0,
    conflicts: 0,
    trusted: 0,
    resolved: 0,
    unresolved: 0,
    moved: 0,
    evicted: 0,
    held: 0,
    rxDrops: {
      'arp-truncated': 0,
      'arp-hardware-type': 0,
      'arp-protocol-type': 0,
      'arp-address-length': 0,
      'arp-operation': 0,
      'arp-own-frame': 0,
      'arp-sender-mac': 0,
      'arp-sender-ip': 0,
      'arp-closed': 0,
    },
    txDrops: {
      'next-hop-invalid': 0,
      'frame-length': 0,
      'device-refused': 0,
      'neighbor-failed': 0,
      'cache-full': 0,
      'hold-overflow': 0,
      'neighbor-unresolved': 0,
      'address-changed': 0,
      closed: 0,
    },
  };
}
