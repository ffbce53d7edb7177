// Which socket a datagram is for: the most specific match.

/** What the table looks at. Addresses are 32-bit, 0 for any. */
export interface Endpoint {
  readonly localAddress: number;
  readonly localPort: number;
  /** 0 while not connected. */
  readonly remoteAddress: number;
  readonly remotePort: number;
  readonly reuseAddress: boolean;
}

/** The sockets of one port. Lists are replaced, never changed: a socket may close while a datagram is handed round. */
interface PortEntry<S> {
  /** Not connected, the latest first. */
  open: readonly S[];
  /** Connected, by remote address and port. */
  readonly connected: Map<number, readonly S[]>;
}

const NONE: readonly never[] = [];

/** Lookup takes the same time for any number of ports and of connected sockets. */
export class SocketTable<S extends Endpoint> {
  readonly #ports = new Map<number, PortEntry<S>>();
  #size = 0;

  /** Sockets in the table. */
  get size(): number {
    return this.#size;
  }

  *[Symbol.iterator](): Generator<S> {
    for (const entry of this.#ports.values()) {
      yield* entry.open;
      for (const sockets of entry.connected.values()) yield* sockets;
    }
  }

  add(socket: S): void {
    let entry = this.#ports.get(socket.localPort);
    if (entry === undefined) {
      entry = { open: NONE, connected: new Map() };
      this.#ports.set(socket.localPort, entry);
    }
    if (socket.remotePort === 0) entry.open = [socket, ...entry.open];
    else {
      const key = remoteKey(socket.remoteAddress, socket.remotePort);
      entry.connected.set(key, [socket, ...(entry.connected.get(key) ?? NONE)]);
    }
    this.#size++;
  }

  /** Must be called with the endpoint that it was added with; harmless when it is not there. */
  remove(socket: S): void {
    const entry = this.#ports.get(socket.localPort);
    if (entry === undefined) return;
    const key = remoteKey(socket.remoteAddress, socket.remotePort);
    const before = socket.remotePort === 0 ? entry.open : (entry.connected.get(key) ?? NONE);
    const rest = before.filter((each) => each !== socket);
    this.#size -= before.length - rest.length;
    if (socket.remotePort === 0) entry.open = rest;
    else if (rest.length > 0) entry.connected.set(key, rest);
    else entry.connected.delete(key);
    if (entry.open.length === 0 && entry.connected.size === 0) this.#ports.delete(socket.localPort);
  }

  /** Whether a socket cannot be bound here beside those that are. */
  conflicts(address: number, port: number, reuseAddress: boolean): boolean {
    const entry = this.#ports.get(port);
    if (entry === undefined) return false;
    const clashes = (other: S): boolean =>
      (address === 0 || other.localAddress === 0 || other.localAddress === address) &&
      !(reuseAddress && other.reuseAddress);
    if (entry.open.some(clashes)) return true;
    for (const sockets of entry.connected.values()) if (sockets.some(clashes)) return true;
    return false;
  }

  /**
   * The socket for a datagram to one host: a connected one before others, one bound to the address before one bound to
   * any, the latest before older ones. No allocation.
   */
  lookup(localAddress: number, localPort: number, remoteAddress: number, remotePort: number): S | undefined {
    const entry = this.#ports.get(localPort);
    if (entry === undefined) return undefined;
    if (entry.connected.size > 0) {
      const connected = entry.connected.get(remoteKey(remoteAddress, remotePort));
      const found = connected === undefined ? undefined : mostSpecific(connected, localAddress);
      if (found !== undefined) return found;
    }
    return mostSpecific(entry.open, localAddress);
  }

  /** Calls `visit` for every socket a broadcast or multicast is for. */
  forEachMatch(
    localAddress: number,
    localPort: number,
    remoteAddress: number,
    remotePort: number,
    visit: (socket: S) => void,
  ): void {
    const entry = this.#ports.get(localPort);
    if (entry === undefined) return;
    const connected = entry.connected.get(remoteKey(remoteAddress, remotePort)) ?? NONE;
    const { open } = entry;
    for (const socket of connected) if (acceptsAddress(socket, localAddress)) visit(socket);
    for (const socket of open) if (acceptsAddress(socket, localAddress)) visit(socket);
  }
}

function remoteKey(address: number, port: number): number {
  return address * 0x1_0000 + port;
}

function acceptsAddress(socket: Endpoint, localAddress: number): boolean {
  return socket.localAddress === 0 || socket.localAddress === localAddress;
}

function mostSpecific<S extends Endpoint>(sockets: readonly S[], localAddress: number): S | undefined {
  let wildcard: S | undefined;
  for (const socket of sockets) {
    if (socket.localAddress === localAddress) return socket;
    if (socket.localAddress === 0) wildcard ??= socket;
  }
  return wildcard;
}
