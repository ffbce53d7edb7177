// A whole segment in one process and in virtual time: switch, nodes with the real packages, clients, faults.
import { ArpOperation, emitArp } from '@rfsis/arp';
import { RfsisNode, createLogger, parseConfiguration, type Application } from '@rfsis/core';
import {
  ETHERNET_MIN_OCTETS,
  EtherType,
  Ipv4Address,
  Ipv4Cidr,
  MacAddress,
  MemorySwitch,
  SeededRandom,
  VirtualClock,
  emitEthernetHeader,
  randomBelow,
  type LinkDevice,
  type MemoryPort,
  type Random,
} from '@rfsis/link';
import { Stack } from '@rfsis/stack';
import { Host, type WakeOrder } from './host.js';
import { UdpProber, type UdpProberOptions } from './udp-prober.js';

/** Where everything lives unless a scenario says otherwise. */
export const SERVICE_ADDRESS = '10.77.0.10';
const PREFIX_LENGTH = 24;
/** 2026-01-01T00:00Z: every world begins then. */
const WALL_ORIGIN_MS = 1_767_225_600_000;

/** One line of a node's log. */
export interface LogEvent {
  /** Virtual milliseconds since the world began. */
  readonly atMs: number;
  readonly node: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** Options of {@link World}. */
export interface WorldOptions {
  readonly seed?: number;
  /** Wraps each interface, for example in a tracer. */
  readonly wrapDevice?: (device: LinkDevice, name: string) => LinkDevice;
  /** Told of every log line as it is written. */
  readonly onEvent?: (event: LogEvent) => void;
}

/** Settings of a pair of nodes; the rest is as in a configuration file. */
export interface PairOptions {
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  readonly detector?: 'fixed' | 'phi';
  readonly key?: string;
  readonly witness?: string;
  readonly preempt?: boolean;
}

/** A client: a kernel's stand-in with our own stack. */
export interface SimulatedClient {
  readonly name: string;
  readonly host: Host;
  readonly stack: Stack;
  /** Sends a datagram each `intervalMs` and checks each answer. */
  probe(options?: Partial<UdpProberOptions>): UdpProber;
}

/** A host without a stack. */
export class Intruder {
  readonly device: LinkDevice;
  /** Copies of the frames that reached it, oldest first. */
  readonly heard: Uint8Array[] = [];

  constructor(device: LinkDevice) {
    this.device = device;
    device.open((batch) => {
      for (let index = 0; index < batch.count; index++) this.heard.push(batch.frame(index).slice());
    });
  }

  /** A gratuitous ARP for an address it has no right to. */
  claim(address: string): void {
    const frame = new Uint8Array(ETHERNET_MIN_OCTETS);
    const offset = emitEthernetHeader(
      frame,
      0,
      MacAddress.BROADCAST.value,
      this.device.mac.value,
      EtherType.arp,
    );
    const claimed = Ipv4Address.parse(address);
    emitArp(frame, offset, {
      operation: ArpOperation.request,
      senderMac: this.device.mac,
      senderIp: claimed,
      targetMac: MacAddress.ZERO,
      targetIp: claimed,
    });
    this.device.send(frame);
  }
}

/** The place of a node: configuration and cable stay, processes come and go. */
export class NodeSlot {
  readonly name: string;
  readonly configuration: Record<string, unknown>;
  host: Host | undefined;
  node: RfsisNode | undefined;
  /** Settles when the current process has found its role. */
  started: Promise<void> = Promise.resolve();
  port: MemoryPort | undefined;
  readonly mac: MacAddress;

  constructor(name: string, mac: MacAddress, configuration: Record<string, unknown>) {
    this.name = name;
    this.mac = mac;
    this.configuration = configuration;
  }

  get role(): string {
    return this.node === undefined || this.host?.alive !== true ? 'dead' : this.node.role;
  }

  get serving(): boolean {
    return this.host?.alive === true && this.node?.serving === true;
  }
}

/** Echoes datagrams: the application of the scenarios. */
export const echoUdp: Application = ({ dgram, serviceAddress, port }) => {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (message, client) => {
    socket.send(message, client.port, client.address);
  });
  socket.bind(port, serviceAddress);
};

export class World {
  readonly clock = new VirtualClock(WALL_ORIGIN_MS);
  readonly random: Random;
  readonly switch: MemorySwitch;
  readonly events: LogEvent[] = [];
  readonly slots: NodeSlot[] = [];
  readonly #options: WorldOptions;
  readonly #ports = new Map<string, MemoryPort>();
  #nextMac = 1;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.random = new SeededRandom(options.seed ?? 1);
    this.switch = new MemorySwitch({ clock: this.clock });
  }

  /** Two nodes, `alpha` (prefers main) and `beta`, not started yet. */
  addPair(options: PairOptions = {}): { alpha: NodeSlot; beta: NodeSlot } {
    const { intervalMs = 20, timeoutMs = 100, detector = 'fixed', key, witness, preempt = false } = options;
    const common = {
      interface: 'eth0',
      serviceAddress: `${SERVICE_ADDRESS}/${PREFIX_LENGTH}`,
      heartbeat: { intervalMs, timeoutMs, detector },
      preempt,
      ...(key === undefined ? {} : { sync: { key } }),
      ...(witness === undefined ? {} : { witness }),
    };
    const slot = (name: string, role: string, node: string, peer: string): NodeSlot => {
      const made = new NodeSlot(name, this.#newMac(), {
        ...common,
        role,
        nodeAddress: node,
        peerAddress: peer,
      });
      this.slots.push(made);
      return made;
    };
    return {
      alpha: slot('alpha', 'main', '10.77.0.11', '10.77.0.12'),
      beta: slot('beta', 'backup', '10.77.0.12', '10.77.0.11'),
    };
  }

  /** Starts a process in a slot: the first one, or the next after a death. */
  start(slot: NodeSlot, application: Application = echoUdp): Promise<void> {
    const host = this.#newHost(slot.name, slot.mac);
    slot.host = host;
    slot.port = host.port;
    const node = new RfsisNode({
      configuration: parseConfiguration(slot.configuration, slot.name),
      device: this.#wrap(host.device, slot.name),
      clock: host.clock,
      random: new SeededRandom(this.random.uint32()),
      log: createLogger({
        level: 'debug',
        clock: this.clock,
        destination: {
          write: (line) => {
            this.#record(slot.name, line);
          },
        },
      }),
      application,
    });
    slot.node = node;
    slot.started = node.start();
    // Whoever cares awaits it; a process that is killed before it is ready is no unhandled rejection.
    slot.started.catch(() => undefined);
    return slot.started;
  }

  /** A client with an address of its own. */
  addClient(name: string, address: string): SimulatedClient {
    const host = this.#newHost(name, this.#newMac());
    const stack = new Stack({
      device: this.#wrap(host.device, name),
      clock: host.clock,
      random: new SeededRandom(this.random.uint32()),
    });
    stack.open();
    stack.addAddress(new Ipv4Cidr(Ipv4Address.parse(address), PREFIX_LENGTH));
    return {
      name,
      host,
      stack,
      probe: (options = {}) =>
        new UdpProber({
          stack,
          clock: host.clock,
          address: SERVICE_ADDRESS,
          port: 7,
          intervalMs: 1,
          ...options,
        }),
    };
  }

  /** A host that sends whatever frames it is told to, and hears all it can. */
  addIntruder(name: string): Intruder {
    const host = this.#newHost(name, this.#newMac());
    return new Intruder(this.#wrap(host.device, name));
  }

  /** SIGKILL; the carrier stays. */
  kill(slot: NodeSlot): void {
    slot.host?.kill();
  }

  /** The cable goes and the process dies in one instant. */
  powerLoss(slot: NodeSlot): void {
    slot.host?.port.unplug();
    slot.host?.kill();
  }

  freeze(slot: NodeSlot): void {
    slot.host?.freeze();
  }

  /** @param order by default drawn by lot */
  thaw(slot: NodeSlot, order?: WakeOrder): void {
    slot.host?.thaw(order ?? (randomBelow(this.random, 2) === 0 ? 'timers-first' : 'frames-first'));
  }

  unplug(slot: NodeSlot): void {
    slot.host?.port.unplug();
  }

  plug(slot: NodeSlot): void {
    slot.host?.port.plug();
  }

  /** Cuts two groups apart, by the names of nodes and clients. */
  partition(left: readonly string[], right: readonly string[]): void {
    this.#eachPath(left, right, (a, b) => {
      this.switch.cut(a, b);
      this.switch.cut(b, a);
    });
  }

  /** One direction only: frames from `sources` do not reach `destinations`. */
  partitionOneWay(sources: readonly string[], destinations: readonly string[]): void {
    this.#eachPath(sources, destinations, (a, b) => {
      this.switch.cut(a, b);
    });
  }

  heal(left: readonly string[], right: readonly string[]): void {
    this.#eachPath(left, right, (a, b) => {
      this.switch.heal(a, b);
      this.switch.heal(b, a);
    });
  }

  /** Lets `durationMs` of virtual time pass. */
  run(durationMs: number): Promise<void> {
    return this.clock.advanceAsync(durationMs);
  }

  /**
   * Lets time pass until `condition` holds.
   * @throws {Error} when it does not within `limitMs`; the message tells what the nodes logged last
   */
  async runUntil(condition: () => boolean, limitMs: number, what: string): Promise<void> {
    if (await this.clock.advanceUntil(condition, limitMs)) return;
    const log = this.events.slice(-20).map((event) => JSON.stringify(event));
    throw new Error(`not within ${limitMs} ms: ${what}; last events:\n${log.join('\n')}`);
  }

  /** The log lines of one event, of one node or of all. */
  eventsOf(event: string, node?: string): LogEvent[] {
    return this.events.filter((each) => each.event === event && (node === undefined || each.node === node));
  }

  #record(node: string, line: string): void {
    const { event, ...fields } = JSON.parse(line) as { event: string };
    const logged: LogEvent = { ...fields, atMs: this.clock.now(), node, event };
    this.events.push(logged);
    this.#options.onEvent?.(logged);
  }

  #newHost(name: string, mac: MacAddress): Host {
    const port = this.switch.port({ mac, name });
    this.#ports.set(name, port);
    return new Host(name, this.clock, port);
  }

  #newMac(): MacAddress {
    return MacAddress.fromNumber(0x02_00_00_00_00_00 + this.#nextMac++);
  }

  #wrap(device: LinkDevice, name: string): LinkDevice {
    return this.#options.wrapDevice?.(device, name) ?? device;
  }

  #eachPath(
    left: readonly string[],
    right: readonly string[],
    change: (a: MemoryPort, b: MemoryPort) => void,
  ): void {
    for (const a of left) for (const b of right) change(this.#port(a), this.#port(b));
  }

  #port(name: string): MemoryPort {
    const port = this.#ports.get(name);
    if (port === undefined) throw new Error(`there is no ${name} in this world`);
    return port;
  }
}
