// The one table of errors of this package. Codes are stable; messages say what to do next. Errors of sockets carry the
// codes of Node, because that is what callers test for.
import { constants } from 'node:os';

/** Stable codes of {@link StackError}. */
export type StackErrorCode =
  /** The address cannot belong to a host: multicast, loopback, broadcast, 0.0.0.0/8. */
  | 'RFSIS_STACK_ADDRESS_INVALID'
  /** The stack has the address already, with another prefix. */
  | 'RFSIS_STACK_ADDRESS_PREFIX'
  /** No room for another address, route or socket. */
  | 'RFSIS_STACK_LIMIT'
  /** An option is out of range. */
  | 'RFSIS_STACK_OPTION_INVALID'
  /** The stack, or what was asked of it, is open or closed already. */
  | 'RFSIS_STACK_STATE'
  /** An echo request could not be sent: no route, no address of ours, too long. */
  | 'RFSIS_STACK_PING_UNSENT'
  /** A router or the other host says that an echo request cannot be delivered. */
  | 'RFSIS_STACK_PING_UNREACHABLE'
  /** An echo request was not answered in time. */
  | 'RFSIS_STACK_PING_TIMEOUT';

/** An error of the stack itself; thrown by set-up calls, never for a packet. */
export class StackError extends Error {
  override readonly name = 'StackError';
  readonly code: StackErrorCode;

  constructor(code: StackErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Codes of {@link SocketError}: those of Node for the same events. */
export type SocketErrorCode =
  | 'EACCES'
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'EBADF'
  | 'ECONNREFUSED'
  | 'EDESTADDRREQ'
  | 'EHOSTUNREACH'
  | 'EINVAL'
  | 'EISCONN'
  | 'EMSGSIZE'
  | 'ENETDOWN'
  | 'ENETUNREACH'
  | 'ENOBUFS'
  | 'ENOPROTOOPT'
  | 'ENOTCONN'
  | 'EOPNOTSUPP'
  | 'EPROTO';

/** The system error number of a code, negative, as Node has it in `error.errno`. */
export function errnoOf(code: SocketErrorCode): number {
  return -constants.errno[code];
}

/** An error of a socket, shaped like Node's system errors. */
export class SocketError extends Error {
  /** Negative, as in Node. */
  readonly errno: number;
  readonly code: SocketErrorCode;
  /** The call that failed, in Node's words: `bind`, `connect`, `send`, `recvmsg`. */
  readonly syscall: string;
  declare readonly address?: string;
  declare readonly port?: number;

  constructor(code: SocketErrorCode, syscall: string, address?: string, port?: number) {
    const where = address === undefined ? '' : port === undefined ? ` ${address}` : ` ${address}:${port}`;
    super(`${syscall} ${code}${where}`);
    this.errno = errnoOf(code);
    this.code = code;
    this.syscall = syscall;
    // As in Node, what is not known is not there.
    if (address !== undefined) this.address = address;
    if (port !== undefined) this.port = port;
  }
}
