// An Ethernet switch in memory: learns where MAC addresses live, floods what it does not know, can be cut and healed.
import type { Clock } from './clock.js';
import {
  FrameBatch,
  NO_OFFLOAD,
  copyFrame,
  newLinkCounters,
  type FramesHandler,
  type LinkDevice,
  type LinkOffload,
  type LinkStateHandler,
} from './device.js';
import { LinkError } from './errors.js';
import { ETHERNET_HEADER_OCTETS } from './ethernet.js';
import { isGroupMac, type MacAddress } from './mac-address.js';
import { readU48 } from './octets.js';

/** Written over a delivered frame, so that a consumer that kept a reference is found out. */
const SCRUB_OCTET = 0xdb;

/** Options of {@link MemorySwitch}. */
export interface MemorySwitchOptions {
  readonly clock: Clock;
  /** One-way time from port to port in milliseconds; default 0.05. */
  readonly latencyMs?: number;
  /** Frames that may be under way to one port; more are dropped and counted there. Default 4096. */
  readonly queueFrames?: number;
  /** MAC addresses the switch remembers; at the limit the oldest is forgotten. Default 4096. */
  readonly tableEntries?: number;
}

/** Options of {@link MemorySwitch.port}. */
export interface MemoryPortOptions {
  readonly mac: MacAddress;
  /** Default: `port<number>`. */
  readonly name?: string;
  /** Default 1500. */
  readonly mtu?: number;
}

/** A learning switch. Its ports are {@link LinkDevice}s. */
export class MemorySwitch {
  readonly clock: Clock;
  readonly latencyMs: number;
  readonly queueFrames: number;
  readonly #tableEntries: number;
  /** Replaced, never changed: a port may close while a frame is flooded. */
  #ports: readonly MemoryPort[] = [];
  #portNumber = 0;
  readonly #table = new Map<number, MemoryPort>();
  readonly #partitions = new Set<string>();

  constructor(options: MemorySwitchOptions) {
    this.clock = options.clock;
    this.latencyMs = options.latencyMs ?? 0.05;
    this.queueFrames = options.queueFrames ?? 4096;
    this.#tableEntries = options.tableEntries ?? 4096;
  }

  /** Adds a port, with its cable plugged in. */
  port(options: MemoryPortOptions): MemoryPort {
    const port = new MemoryPort(this, this.#portNumber++, options);
    this.#ports = [...this.#ports, port];
    return port;
  }

  /** Forgets every learned address: the next frames are flooded. */
  flushTable(): void {
    this.#table.clear();
  }

  /** The port behind which `mac` was last seen. */
  locate(mac: MacAddress): MemoryPort | undefined {
    return this.#table.get(mac.value);
  }

  /** Stops frames from `source` to `destination`; one direction only. */
  cut(source: MemoryPort, destination: MemoryPort): void {
    this.#partitions.add(pathKey(source, destination));
  }

  /** Undoes {@link MemorySwitch.cut}. */
  heal(source: MemoryPort, destination: MemoryPort): void {
    this.#partitions.delete(pathKey(source, destination));
  }

  /** For ports: takes a frame in. @internal */
  forward(ingress: MemoryPort, frame: Uint8Array): void {
    this.#learn(ingress, readU48(frame, 6));
    const destination = readU48(frame, 0);
    const known = isGroupMac(destination) ? undefined : this.#table.get(destination);
    if (known !== undefined) {
      if (known !== ingress) this.#pass(ingress, known, frame);
      return;
    }
    for (const port of this.#ports) if (port !== ingress) this.#pass(ingress, port, frame);
  }

  /** For ports: `port` is closed. @internal */
  remove(port: MemoryPort): void {
    this.#ports = this.#ports.filter((each) => each !== port);
    this.forget(port);
  }

  /** For ports: a cable was pulled, what was learned there is void. @internal */
  forget(port: MemoryPort): void {
    for (const [mac, each] of this.#table) if (each === port) this.#table.delete(mac);
  }

  #learn(ingress: MemoryPort, source: number): void {
    if (isGroupMac(source)) return;
    if (!this.#table.has(source) && this.#table.size >= this.#tableEntries) {
      for (const oldest of this.#table.keys()) {
        this.#table.delete(oldest);
        break;
      }
    }
    this.#table.set(source, ingress);
  }

  #pass(ingress: MemoryPort, egress: MemoryPort, frame: Uint8Array): void {
    if (this.#partitions.has(pathKey(ingress, egress))) return;
    egress.enqueue(frame);
  }
}

function pathKey(source: MemoryPort, destination: MemoryPort): string {
  return `${source.number}>${destination.number}`;
}

/** One port of a {@link MemorySwitch}, seen from the host that is plugged in. */
export class MemoryPort implements LinkDevice {
  readonly name: string;
  readonly number: number;
  readonly mac: MacAddress;
  readonly mtu: number;
  readonly offload: LinkOffload = NO_OFFLOAD;
  readonly counters = newLinkCounters();
  readonly #switch: MemorySwitch;
  readonly #queue: Uint8Array[] = [];
  readonly #batch = new FrameBatch();
  #onFrames: FramesHandler | undefined;
  #onLinkState: LinkStateHandler | undefined;
  #plugged = true;
  #closed = false;

  /** @internal Use {@link MemorySwitch.port}. */
  constructor(owner: MemorySwitch, number: number, options: MemoryPortOptions) {
    this.#switch = owner;
    this.number = number;
    this.name = options.name ?? `port${number}`;
    this.mac = options.mac;
    this.mtu = options.mtu ?? 1500;
  }

  get up(): boolean {
    return this.#plugged && !this.#closed;
  }

  open(onFrames: FramesHandler, onLinkState?: LinkStateHandler): void {
    if (this.#onFrames !== undefined || this.#closed) {
      throw new LinkError('RFSIS_LINK_STATE', `${this.name}: the port is open or closed already`);
    }
    this.#onFrames = onFrames;
    this.#onLinkState = onLinkState;
  }

  send(frame: Uint8Array, length: number = frame.length): boolean {
    const longest = Math.min(frame.length, this.mtu + ETHERNET_HEADER_OCTETS);
    if (!this.up || length < ETHERNET_HEADER_OCTETS || length > longest) {
      this.counters.txDropped++;
      return false;
    }
    this.counters.txFrames++;
    this.counters.txOctets += length;
    this.#switch.forward(this, copyFrame(frame, length));
    return true;
  }

  flush(): void {
    // Frames are forwarded as they are sent.
  }

  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
    this.#switch.remove(this);
  }

  /** Pulls the cable: frames under way to this port are lost, the host sees the carrier go. */
  unplug(): void {
    if (!this.up) return;
    this.#plugged = false;
    this.#queue.length = 0;
    this.#switch.forget(this);
    this.#onLinkState?.(false);
  }

  /** Puts the cable back. */
  plug(): void {
    if (this.#plugged || this.#closed) return;
    this.#plugged = true;
    this.#onLinkState?.(true);
  }

  /** For the switch: a frame on its way to this port. @internal */
  enqueue(frame: Uint8Array): void {
    if (!this.up || this.#onFrames === undefined) return;
    if (this.#queue.length >= this.#switch.queueFrames) {
      this.counters.rxDropped++;
      return;
    }
    this.#queue.push(frame);
    this.#switch.clock.setTimer(this.#switch.latencyMs, () => {
      if (this.#queue[0] === frame) this.#deliver();
    });
  }

  #deliver(): void {
    const frame = this.#queue.shift();
    if (frame === undefined || !this.up) return;
    this.counters.rxFrames++;
    this.counters.rxOctets += frame.length;
    // A private copy: other ports may still wait for the same frame.
    const copy = frame.slice();
    this.#batch.clear();
    this.#batch.bytes = copy;
    this.#batch.add(0, copy.length);
    this.#onFrames?.(this.#batch);
    copy.fill(SCRUB_OCTET);
  }
}
