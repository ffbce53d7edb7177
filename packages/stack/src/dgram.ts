// @rfsis/stack/dgram: sockets shaped like those of node:dgram, on a stack. See the README for the differences.
import { Ipv4Address } from '@rfsis/link';
import type { Lookup, SocketOptions } from './dgram/arguments.js';
import type { RemoteInfo } from './dgram/settings.js';
import { DgramSocket } from './dgram/socket.js';
import type { Stack } from './stack.js';

export type { BindOptions, Lookup, MessagePart, SendCallback, SocketOptions } from './dgram/arguments.js';
export type { RemoteInfo } from './dgram/settings.js';
export { DgramSocket } from './dgram/socket.js';

/** Options of {@link createDgram}. */
export interface DgramOptions {
  /**
   * Where sockets are bound that name no address, and so what they send from; default 0.0.0.0: any. On a stack of
   * several addresses this is the one the service is known by.
   */
  readonly address?: string | undefined;
  /** For host names, for example `dns.lookup`; without it only IPv4 addresses and `localhost` are known. */
  readonly lookup?: Lookup | undefined;
}

/** Is called with each message. */
export type MessageListener = (message: Buffer, remote: RemoteInfo) => void;

/** What `import dgram from 'node:dgram'` gives, on a stack. */
export interface Dgram {
  createSocket(options: SocketOptions | 'udp4', onMessage?: MessageListener): DgramSocket;
  readonly Socket: new (options: SocketOptions | 'udp4', onMessage?: MessageListener) => DgramSocket;
}

/** The node:dgram of `stack`. */
export function createDgram(stack: Stack, options: DgramOptions = {}): Dgram {
  const host = {
    stack,
    clock: stack.clock,
    defaultAddress: options.address === undefined ? Ipv4Address.ANY : Ipv4Address.parse(options.address),
    lookup: options.lookup,
  };
  class Socket extends DgramSocket {
    constructor(socketOptions: SocketOptions | 'udp4', onMessage?: MessageListener) {
      super(host, socketOptions, onMessage);
    }
  }
  return {
    createSocket: (socketOptions: SocketOptions | 'udp4', onMessage?: MessageListener) =>
      new Socket(socketOptions, onMessage),
    Socket,
  };
}
