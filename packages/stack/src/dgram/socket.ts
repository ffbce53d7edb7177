// A socket that behaves like that of node:dgram, on a stack of ours.
import type { AddressInfo } from 'node:net';
import { type Clock, formatIpv4, type Ipv4Address } from '@rfsis/link';
import { SocketError, type SocketErrorCode } from '../errors.js';
import type { Stack } from '../stack.js';
import type { UdpDatagram, UdpSocket } from '../udp/udp-socket.js';
import {
  bindArguments,
  type BindOptions,
  connectArguments,
  type Lookup,
  type MessagePart,
  type SendArguments,
  sendArguments,
  type SendCallback,
  type SocketOptions,
  socketOptions,
} from './arguments.js';
import { alreadyBound, alreadyConnected, notConnected, notRunning } from './errors.js';
import { Later } from './later.js';
import { Resolver } from './resolve.js';
import { type RemoteInfo, SocketSettings } from './settings.js';

/** What a socket needs to know of where it lives. */
export interface DgramHost {
  readonly stack: Stack;
  readonly clock: Clock;
  /** Where sockets are bound that name no address. */
  readonly defaultAddress: Ipv4Address;
  readonly lookup: Lookup | undefined;
}

/** Calls that wait for the socket to be bound; more fail with `ENOBUFS`. */
const MAX_WAITING = 1024;

/**
 * See the README for the differences from node:dgram. What is sent leaves within the call of `send` when the socket is
 * bound and the address is known; callbacks are called later.
 */
export class DgramSocket extends SocketSettings {
  readonly type = 'udp4';
  readonly #host: DgramHost;
  readonly #resolver: Resolver;
  readonly #later: Later;
  readonly #reuseAddress: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => {
    if (!this.#closed) this.close();
  };
  #udp: UdpSocket | undefined;
  #binding = false;
  #closed = false;
  /** To be closed as soon as what waits is done. */
  #closing = false;
  #connection: 'none' | 'connecting' | 'connected' = 'none';
  /** What is to be done once the socket is bound, with the octets it will send. */
  #waiting: { readonly octets: number; readonly run: () => void }[] = [];
  #forgetCallback: (() => void) | undefined;

  /** @internal Use `createSocket`. */
  constructor(
    host: DgramHost,
    options: SocketOptions | string,
    onMessage?: (message: Buffer, remote: RemoteInfo) => void,
  ) {
    const { lookup, reuseAddr, recvBufferSize, sendBufferSize, signal } = socketOptions(options);
    super(recvBufferSize, sendBufferSize);
    this.#host = host;
    this.#resolver = new Resolver(lookup ?? host.lookup);
    this.#later = new Later(host.clock);
    this.#reuseAddress = reuseAddr ?? false;
    this.#signal = signal;
    if (typeof onMessage === 'function') this.on('message', onMessage);
    if (signal?.aborted === true) this.close();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  bind(port?: number, address?: string, callback?: () => void): this;
  bind(port?: number, callback?: () => void): this;
  bind(callback?: () => void): this;
  bind(options: BindOptions, callback?: () => void): this;
  bind(...args: unknown[]): this {
    this.checkRunning();
    if (this.#binding || this.#udp !== undefined) throw alreadyBound();
    const { port, address, callback } = bindArguments(args);
    this.#binding = true;
    if (callback !== undefined) this.#onceListening(callback);
    this.#later.push(() => {
      this.#bindTo(address, port);
    });
    return this;
  }

  connect(port: number, address?: string, callback?: () => void): void;
  connect(port: number, callback: () => void): void;
  connect(...args: unknown[]): void {
    this.checkRunning();
    const { port, address, callback } = connectArguments(args);
    if (this.#connection !== 'none') throw alreadyConnected();
    this.#connection = 'connecting';
    const taken = this.#whenBound(0, () => {
      this.#resolver.resolve(address ?? '127.0.0.1', (found) => {
        this.#connectTo(found, port, callback);
      });
    });
    if (!taken) this.#connectTo(new SocketError('ENOBUFS', 'connect'), port, callback);
  }

  disconnect(): void {
    if (this.#connection !== 'connected') throw notConnected();
    this.checkRunning();
    this.#udp?.disconnect();
    this.#connection = 'none';
  }

  send(
    message: MessagePart | readonly unknown[],
    port?: number,
    address?: string,
    callback?: SendCallback,
  ): void;
  send(message: MessagePart | readonly unknown[], port?: number, callback?: SendCallback): void;
  send(message: MessagePart | readonly unknown[], callback?: SendCallback): void;
  send(
    message: MessagePart,
    offset: number,
    length: number,
    port?: number,
    address?: string,
    callback?: SendCallback,
  ): void;
  send(message: MessagePart, offset: number, length: number, port?: number, callback?: SendCallback): void;
  send(message: MessagePart, offset: number, length: number, callback?: SendCallback): void;
  send(...args: unknown[]): void {
    const given = sendArguments(this.#connection === 'connected', args);
    this.checkRunning();
    if (this.#udp !== undefined) {
      this.#resolveAndSend(given);
      return;
    }
    const taken = this.#whenBound(given.octets, () => {
      this.#resolveAndSend(given);
    });
    if (!taken) this.#promise(given).code = 'ENOBUFS';
  }

  close(callback?: () => void): this {
    this.checkRunning();
    if (typeof callback === 'function') this.on('close', callback);
    // What was sent before goes out before.
    if (this.#waiting.length > 0) this.#closing = true;
    else this.#closeNow();
    return this;
  }

  /** @throws `EBADF` before the socket is bound */
  address(): AddressInfo {
    const udp = this.bound('getsockname');
    return { address: formatIpv4(udp.localAddress), family: 'IPv4', port: udp.localPort };
  }

  remoteAddress(): AddressInfo {
    this.checkRunning();
    const udp = this.#udp;
    if (this.#connection !== 'connected' || udp === undefined) throw notConnected();
    return { address: formatIpv4(udp.remoteAddress), family: 'IPv4', port: udp.remotePort };
  }

  /** Octets of datagrams that wait for the socket to be bound. */
  getSendQueueSize(): number {
    return this.#waiting.reduce((sum, each) => sum + each.octets, 0);
  }

  /** Calls that wait for the socket to be bound. */
  getSendQueueCount(): number {
    return this.#waiting.length;
  }

  /** Has no effect: it is the device that keeps the process alive. */
  ref(): this {
    return this;
  }

  /** Has no effect: it is the device that keeps the process alive. */
  unref(): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.close(resolve);
    });
  }

  protected override checkRunning(): void {
    if (this.#closed) throw notRunning();
  }

  protected override bound(syscall: string): UdpSocket {
    this.checkRunning();
    if (this.#udp === undefined) throw new SocketError('EBADF', syscall);
    return this.#udp;
  }

  /** The callback of `bind`: not called when binding fails, not even if a later attempt succeeds. */
  #onceListening(callback: () => void): void {
    const onListening = (): void => {
      callback.call(this);
    };
    this.once('listening', onListening);
    this.#forgetCallback = (): void => {
      this.off('listening', onListening);
    };
  }

  #bindTo(text: string | undefined, port: number): void {
    if (this.#closed) return;
    const done = (address: Ipv4Address | Error): void => {
      if (this.#closed) return;
      this.#binding = false;
      const problem = address instanceof Error ? address : this.#open(address, port);
      const waiting = this.#waiting;
      this.#waiting = [];
      try {
        if (problem === undefined) {
          this.emit('listening');
        } else {
          this.#forgetCallback?.();
          this.#connection = 'none';
          this.emit('error', problem);
        }
      } finally {
        if (problem === undefined) for (const { run } of waiting) run();
        this.#closeIfAsked();
      }
    };
    if (text === undefined) done(this.#host.defaultAddress);
    else this.#resolver.resolve(text, done);
  }

  #open(address: Ipv4Address, port: number): Error | undefined {
    try {
      this.#udp = this.#host.stack.udp.bind({
        address: address.value === 0 ? undefined : address,
        port,
        reuseAddress: this.#reuseAddress,
        onDatagram: (datagram) => {
          this.#receive(datagram);
        },
        onError: (error, hard) => {
          if (hard) this.emit('error', new SocketError(error.code, 'recvmsg'));
        },
      });
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  #receive(datagram: UdpDatagram): void {
    this.emit('message', datagram.copy(), {
      address: formatIpv4(datagram.sourceAddress),
      family: 'IPv4',
      port: datagram.sourcePort,
      size: datagram.length,
    });
  }

  /** Runs `run` now if the socket is bound; else binds it and runs it then. False when too much waits for that. */
  #whenBound(octets: number, run: () => void): boolean {
    if (this.#udp !== undefined) {
      run();
      return true;
    }
    if (!this.#binding) this.bind({ port: 0 });
    if (this.#waiting.length >= MAX_WAITING) return false;
    this.#waiting.push({ octets, run });
    return true;
  }

  #connectTo(
    found: Ipv4Address | Error,
    port: number,
    callback: ((error?: Error) => void) | undefined,
  ): void {
    if (this.#closed) return;
    let problem = found instanceof Error ? found : undefined;
    if (!(found instanceof Error)) {
      try {
        this.#udp?.connect(found, port);
      } catch (error) {
        problem = error as Error;
      }
    }
    this.#connection = problem === undefined ? 'connected' : 'none';
    this.#later.push(() => {
      if (problem === undefined) {
        if (callback !== undefined) this.once('connect', callback);
        this.emit('connect');
      } else if (callback !== undefined) {
        callback(problem);
      } else {
        this.emit('error', problem);
      }
    });
  }

  #resolveAndSend(given: SendArguments): void {
    if (this.#closed) return;
    // Connected meanwhile: the address given is not used.
    if (given.port === 0) {
      this.#sendTo(given, undefined);
      return;
    }
    const text = given.address ?? '127.0.0.1';
    const known = this.#resolver.known(text);
    if (known !== undefined) {
      this.#sendTo(given, known);
      return;
    }
    this.#resolver.resolve(text, (found) => {
      if (this.#closed) return;
      if (!(found instanceof Error)) {
        this.#sendTo(given, found);
        return;
      }
      this.#later.push(() => {
        if (given.callback !== undefined) given.callback(found, 0);
        else this.emit('error', found);
      });
    });
  }

  #sendTo(given: SendArguments, address: Ipv4Address | undefined): void {
    const udp = this.#udp;
    if (udp === undefined) return;
    const { parts, port } = given;
    const outcome = this.#promise(given);
    outcome.code = address === undefined ? udp.send(parts) : udp.sendTo(parts, address, port);
  }

  /**
   * Sees to it that the callback is told, later, what will be in the object returned. It takes its place before the
   * datagram leaves, so that it comes before an answer from this same host. Without a callback nobody is told, as in Node.
   */
  #promise({ callback, octets, address, port }: SendArguments): { code: SocketErrorCode | undefined } {
    const outcome: { code: SocketErrorCode | undefined } = { code: undefined };
    if (callback === undefined) return outcome;
    this.#later.push(() => {
      const { code } = outcome;
      if (code === undefined) callback(null, octets);
      else (callback as (error: Error) => void)(sendError(code, address, port));
    });
    return outcome;
  }

  #closeIfAsked(): void {
    if (this.#closing && !this.#closed) this.#closeNow();
  }

  #closeNow(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#udp?.close();
    this.#udp = undefined;
    this.#later.push(() => {
      this.emit('close');
    });
  }
}

function sendError(code: SocketErrorCode, address: string | undefined, port: number): SocketError {
  if (port === 0) return new SocketError(code, 'send');
  return new SocketError(code, 'send', address ?? '127.0.0.1', port);
}
