// The many ways to call the methods of a node:dgram socket, brought into one form.
import { alreadyConnected, badBufferSize, badPort, badType, invalidArgument, outOfBounds } from './errors.js';

/** What a message may be given as. */
export type MessagePart = string | NodeJS.ArrayBufferView;

/** Called when a datagram has been sent, or could not be. */
export type SendCallback = (error: Error | null, bytes: number) => void;

/** `dns.lookup`, or something called like it. */
export type Lookup = (
  hostname: string,
  options: { readonly family: number },
  callback: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
) => void;

/** Options of `createSocket`. */
export interface SocketOptions {
  readonly type: 'udp4' | 'udp6';
  readonly reuseAddr?: boolean | undefined;
  /** Has no effect. */
  readonly ipv6Only?: boolean | undefined;
  /** Kept, and given back by `getRecvBufferSize`; has no other effect. */
  readonly recvBufferSize?: number | undefined;
  /** Kept, and given back by `getSendBufferSize`; has no other effect. */
  readonly sendBufferSize?: number | undefined;
  /** For host names; without it only IPv4 addresses and `localhost` are known. */
  readonly lookup?: Lookup | undefined;
  /** Closes the socket. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `bind`. */
export interface BindOptions {
  readonly port?: number | undefined;
  readonly address?: string | undefined;
  /** Has no effect. */
  readonly exclusive?: boolean | undefined;
}

/** `send` in one form. */
export interface SendArguments {
  /** The pieces of the one datagram. */
  readonly parts: readonly Uint8Array[];
  /** Octets of all pieces. */
  readonly octets: number;
  /** 0 when the socket is connected. */
  readonly port: number;
  readonly address: string | undefined;
  readonly callback: SendCallback | undefined;
}

const BUFFER_TYPES = 'of type string or an instance of Buffer, TypedArray, or DataView';

function bytesOf(part: unknown): Uint8Array | undefined {
  if (part instanceof Uint8Array) return part;
  if (typeof part === 'string') return Buffer.from(part);
  if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  return undefined;
}

function slice(message: unknown, offset: unknown, length: unknown): Uint8Array {
  const bytes = bytesOf(message);
  if (bytes === undefined) throw invalidArgument('"buffer" argument', BUFFER_TYPES, message);
  const from = Number(offset) >>> 0;
  const octets = Number(length) >>> 0;
  if (from > bytes.length) throw outOfBounds('offset');
  if (from + octets > bytes.length) throw outOfBounds('length');
  return bytes.subarray(from, from + octets);
}

function partsOf(message: unknown): readonly Uint8Array[] {
  if (!Array.isArray(message)) {
    const bytes = bytesOf(message);
    if (bytes === undefined) throw invalidArgument('"buffer" argument', BUFFER_TYPES, message);
    return [bytes];
  }
  const parts: Uint8Array[] = [];
  for (const part of message) {
    const bytes = bytesOf(part);
    if (bytes === undefined) throw invalidArgument('"buffer list arguments" argument', BUFFER_TYPES, message);
    parts.push(bytes);
  }
  return parts;
}

/** A port as number; numeric strings are taken. */
export function portArgument(value: unknown, zeroAllowed: boolean): number {
  const isText = typeof value === 'string' && value.trim() !== '';
  const port = typeof value === 'number' || isText ? Number(value) : NaN;
  if (!Number.isInteger(port) || port < (zeroAllowed ? 0 : 1) || port > 0xffff) {
    throw badPort(value, zeroAllowed);
  }
  return port;
}

function addressArgument(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw invalidArgument('"address" argument', 'of type string', value);
  return value === '' ? undefined : value;
}

/** A callback, or nothing: what is no function is left out, as Node does. */
function callbackArgument(value: unknown): ((...args: unknown[]) => void) | undefined {
  return typeof value === 'function' ? (value as (...args: unknown[]) => void) : undefined;
}

/** `send(msg[, offset, length][, port][, address][, callback])` */
export function sendArguments(connected: boolean, args: readonly unknown[]): SendArguments {
  const [message, second, third, fourth, fifth, sixth] = args;
  return connected
    ? connectedSend(message, second, third, fourth, fifth, sixth)
    : unconnectedSend(message, second, third, fourth, fifth, sixth);
}

function unconnectedSend(
  message: unknown,
  second: unknown,
  third: unknown,
  fourth: unknown,
  fifth: unknown,
  sixth: unknown,
): SendArguments {
  // With offset and length there is a port in the fourth place, where else only a callback can be.
  const ranged = Boolean(fifth) || (Boolean(fourth) && typeof fourth !== 'function');
  const parts = ranged ? [slice(message, second, third)] : partsOf(message);
  const port = portArgument(ranged ? fourth : second, false);
  const address = ranged ? fifth : third;
  const callback = ranged ? sixth : fourth;
  if (typeof address === 'function') return sendOf(parts, port, undefined, address);
  return sendOf(parts, port, addressArgument(address), callback);
}

function connectedSend(
  message: unknown,
  second: unknown,
  third: unknown,
  fourth: unknown,
  fifth: unknown,
  sixth: unknown,
): SendArguments {
  if (typeof third !== 'number') return sendOf(partsOf(message), 0, undefined, second);
  const parts = [slice(message, second, third)];
  if (typeof fourth === 'function') return sendOf(parts, 0, undefined, fourth);
  if (Boolean(fourth) || Boolean(fifth)) throw alreadyConnected();
  return sendOf(parts, 0, undefined, sixth);
}

function sendOf(
  parts: readonly Uint8Array[],
  port: number,
  address: string | undefined,
  callback: unknown,
): SendArguments {
  let octets = 0;
  for (const part of parts) octets += part.length;
  return { parts, octets, port, address, callback: callbackArgument(callback) };
}

/** `bind([port][, address][, callback])` and `bind(options[, callback])` in one form. */
export function bindArguments(args: readonly unknown[]): {
  readonly port: number;
  readonly address: string | undefined;
  readonly callback: (() => void) | undefined;
} {
  const [first, second] = args;
  const callback = callbackArgument(args.find((each) => typeof each === 'function'));
  if (typeof first === 'object' && first !== null) {
    const options = first as BindOptions;
    if ('fd' in first) throw invalidArgument('"options.fd" property', 'absent', first.fd);
    return {
      port: portArgument(options.port ?? 0, true),
      address: addressArgument(options.address),
      callback,
    };
  }
  return {
    port: typeof first === 'function' ? 0 : portArgument(first ?? 0, true),
    address: typeof second === 'function' ? undefined : addressArgument(second),
    callback,
  };
}

/** `connect(port[, address][, callback])` in one form. */
export function connectArguments(args: readonly unknown[]): {
  readonly port: number;
  readonly address: string | undefined;
  readonly callback: ((error?: Error) => void) | undefined;
} {
  const [first, second, third] = args;
  const port = portArgument(first, false);
  if (typeof second === 'function') return { port, address: undefined, callback: callbackArgument(second) };
  return { port, address: addressArgument(second), callback: callbackArgument(third) };
}

/** `createSocket(type)` and `createSocket(options)` in one form, checked. */
export function socketOptions(given: unknown): SocketOptions {
  const options = (typeof given === 'object' && given !== null ? given : { type: given }) as SocketOptions;
  if (options.type !== 'udp4') throw badType();
  const { lookup, signal } = options;
  if (lookup !== undefined && typeof lookup !== 'function') {
    throw invalidArgument('"lookup" argument', 'of type function', lookup);
  }
  for (const name of ['recvBufferSize', 'sendBufferSize'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'number') {
      throw invalidArgument(`"options.${name}" property`, 'of type number', value);
    }
  }
  if (signal !== undefined && (typeof signal !== 'object' || !('aborted' in signal))) {
    throw invalidArgument('"options.signal" property', 'an instance of AbortSignal', signal);
  }
  return options;
}

/** A buffer size to keep. */
export function bufferSizeArgument(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 0x7fff_ffff) {
    throw badBufferSize();
  }
  return value;
}

/** A TTL as a number; its range is judged elsewhere. */
export function numberArgument(name: string, value: unknown): number {
  if (typeof value !== 'number') throw invalidArgument(`"${name}" argument`, 'of type number', value);
  return value;
}

/** A string that must be there. */
export function stringArgument(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidArgument(`"${name}" argument`, 'of type string', value);
  return value;
}
