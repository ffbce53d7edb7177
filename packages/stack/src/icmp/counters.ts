// What ICMP counts.
import type { IcmpDefect } from './message.js';

/** Why a received message had no effect. */
export type IcmpRxDrop =
  | IcmpDefect
  /** An echo request to a broadcast or multicast address (RFC 1122 3.2.2.6: MAY be discarded). */
  | 'echo-broadcast'
  /** An echo reply nobody waits for, or not with the data that was sent. */
  | 'echo-unmatched'
  /** An error that came by broadcast or multicast. */
  | 'error-broadcast'
  /** The quoted datagram is no readable beginning of one. */
  | 'error-quote'
  /** The quoted datagram was not sent by this host. */
  | 'error-not-ours'
  /** Source quench: ignored (RFC 6633). */
  | 'source-quench'
  /** Redirect: ignored, since anybody can send one; a host with one gateway needs none. */
  | 'redirect'
  /** Types not spoken here: timestamp, address mask, and so on (RFC 1122 3.2.2). */
  | 'icmp-type';

/** Why an ICMP message was not sent. */
export type IcmpTxDrop =
  /** RFC 1122 3.2.2: about an ICMP error. */
  | 'about-error'
  /** RFC 1122 3.2.2: about a broadcast or multicast, of IP or the link. */
  | 'about-broadcast'
  /** RFC 1122 3.2.2: about a fragment other than the first. */
  | 'about-fragment'
  /** RFC 1122 3.2.2: the source is no single host. */
  | 'about-source'
  | 'rate-limit'
  /** The IPv4 layer did not take it; see its counters. */
  | 'unsent';

/**
 * Counters since the stack was made. Every message has one outcome: `rxMessages = echoRequests + echoReplies + errors +
 * sum of rxDrops`.
 */
export interface IcmpCounters {
  rxMessages: number;
  /** Echo requests that were answered, or would have been had IPv4 taken the answer. */
  rxEchoRequests: number;
  /** Echo replies somebody waited for. */
  rxEchoReplies: number;
  /** Errors about datagrams of ours. */
  rxErrors: number;
  /** Of which those that made a path MTU estimate smaller. */
  rxPathMtuReductions: number;
  /** Errors this host told itself: a next hop did not answer ARP. */
  localErrors: number;
  txEchoRequests: number;
  txEchoReplies: number;
  txErrors: number;
  readonly rxDrops: Record<IcmpRxDrop, number>;
  readonly txDrops: Record<IcmpTxDrop, number>;
}

/** All zero. */
export function newIcmpCounters(): IcmpCounters {
  return {
    rxMessages: 0,
    rxEchoRequests: 0,
    rxEchoReplies: 0,
    rxErrors: 0,
    rxPathMtuReductions: 0,
    localErrors: 0,
    txEchoRequests: 0,
    txEchoReplies: 0,
    txErrors: 0,
    rxDrops: {
      'icmp-truncated': 0,
      'icmp-checksum': 0,
      'echo-broadcast': 0,
      'echo-unmatched': 0,
      'error-broadcast': 0,
      'error-quote': 0,
      'error-not-ours': 0,
      'source-quench': 0,
      redirect: 0,
      'icmp-type': 0,
    },
    txDrops: {
      'about-error': 0,
      'about-broadcast': 0,
      'about-fragment': 0,
      'about-source': 0,
      'rate-limit': 0,
      unsent: 0,
    },
  };
}
