// What UDP counts.
import type { SocketErrorCode } from '../errors.js';
import type { UdpDefect } from './datagram.js';

/** Why a received datagram did not reach an application. */
export type UdpRxDrop =
  | UdpDefect
  | 'udp-checksum'
  /**
   * From port 0. RFC 768 allows it to those who want no answer; but applications that answer blindly fail on it, and
   * anybody could make them.
   */
  | 'source-port-zero'
  /** No socket is bound to the port; the sender of a unicast is told by ICMP. */
  | 'no-socket'
  /** The socket has no `onDatagram`. */
  | 'unread';

/** Why a datagram was not sent: what the sender was told. */
export type UdpTxDrop = Extract<
  SocketErrorCode,
  | 'EACCES'
  | 'EADDRNOTAVAIL'
  | 'EBADF'
  | 'EDESTADDRREQ'
  | 'EHOSTUNREACH'
  | 'EINVAL'
  | 'EISCONN'
  | 'EMSGSIZE'
  | 'ENETDOWN'
  | 'ENETUNREACH'
  | 'ENOBUFS'
>;

/** Counters since the stack was made. `rxDatagrams = rxDelivered + sum of rxDrops`. */
export interface UdpCounters {
  rxDatagrams: number;
  /** Handed to one socket, or, of a broadcast or multicast, to at least one. */
  rxDelivered: number;
  /** Came without a checksum (RFC 768). */
  rxWithoutChecksum: number;
  /** Came with a checksum over the pseudo-header only. */
  rxPartialChecksum: number;
  /** ICMP errors handed to connected sockets. */
  rxErrors: number;
  /** Exceptions thrown by handlers of the application; thrown again outside the stack. */
  handlerErrors: number;
  txDatagrams: number;
  readonly rxDrops: Record<UdpRxDrop, number>;
  readonly txDrops: Record<UdpTxDrop, number>;
}

/** All zero. */
export function newUdpCounters(): UdpCounters {
  return {
    rxDatagrams: 0,
    rxDelivered: 0,
    rxWithoutChecksum: 0,
    rxPartialChecksum: 0,
    rxErrors: 0,
    handlerErrors: 0,
    txDatagrams: 0,
    rxDrops: {
      'udp-truncated': 0,
      'udp-length': 0,
      'udp-checksum': 0,
      'source-port-zero': 0,
      'no-socket': 0,
      unread: 0,
    },
    txDrops: {
      EACCES: 0,
      EADDRNOTAVAIL: 0,
      EBADF: 0,
      EDESTADDRREQ: 0,
      EHOSTUNREACH: 0,
      EINVAL: 0,
      EISCONN: 0,
      EMSGSIZE: 0,
      ENETDOWN: 0,
      ENETUNREACH: 0,
      ENOBUFS: 0,
    },
  };
}
