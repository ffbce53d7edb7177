// Errors of the node:dgram-shaped API: the classes, codes and messages that Node has for the same mistakes.
import { inspect } from 'node:util';

/** An error with one of Node's codes. */
export type CodedError = Error & { readonly code: string };

function coded(error: Error, code: string): CodedError {
  return Object.assign(error, { code });
}

/** What was received instead, in Node's words. */
function received(value: unknown): string {
  if (value === undefined || value === null) return `Received ${String(value)}`;
  if (typeof value === 'function') return `Received function ${value.name}`;
  if (typeof value === 'object') {
    const name = (value.constructor as { name?: string } | undefined)?.name;
    return name === undefined ? 'Received an object' : `Received an instance of ${name}`;
  }
  return `Received type ${typeof value} (${inspect(value)})`;
}

/** @param name with its kind, as `"address" argument` */
export function invalidArgument(name: string, expected: string, value: unknown): CodedError {
  const message = `The ${name} must be ${expected}. ${received(value)}`;
  return coded(new TypeError(message), 'ERR_INVALID_ARG_TYPE');
}

export function missingArgument(name: string): CodedError {
  return coded(new TypeError(`The "${name}" argument must be specified`), 'ERR_MISSING_ARGS');
}

export function badPort(value: unknown, zeroAllowed: boolean): CodedError {
  const bound = zeroAllowed ? '>=' : '>';
  const message = `Port should be ${bound} 0 and < 65536. ${received(value)}.`;
  return coded(new RangeError(message), 'ERR_SOCKET_BAD_PORT');
}

export function outOfBounds(name: 'offset' | 'length'): CodedError {
  return coded(new RangeError(`"${name}" is outside of buffer bounds`), 'ERR_BUFFER_OUT_OF_BOUNDS');
}

export function badType(): CodedError {
  return coded(
    new TypeError('Bad socket type specified. Valid types are: udp4 (this stack has no IPv6)'),
    'ERR_SOCKET_BAD_TYPE',
  );
}

export function badBufferSize(): CodedError {
  return coded(new TypeError('Buffer size must be a positive integer'), 'ERR_SOCKET_BAD_BUFFER_SIZE');
}

export function alreadyBound(): CodedError {
  return coded(new Error('Socket is already bound'), 'ERR_SOCKET_ALREADY_BOUND');
}

export function alreadyConnected(): CodedError {
  return coded(new Error('Already connected'), 'ERR_SOCKET_DGRAM_IS_CONNECTED');
}

export function notConnected(): CodedError {
  return coded(new Error('Not connected'), 'ERR_SOCKET_DGRAM_NOT_CONNECTED');
}

export function notRunning(): CodedError {
  return coded(new Error('Not running'), 'ERR_SOCKET_DGRAM_NOT_RUNNING');
}

/** As `dns.lookup` reports a name it does not know. */
export function nameNotFound(hostname: string): CodedError {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), {
    code: 'ENOTFOUND',
    errno: -3008,
    syscall: 'getaddrinfo',
    hostname,
  });
}
