// The lab: a switch with hosts and nodes around it, all in network namespaces of their own, and the faults that can
// befall them. The network of the machine itself is never touched.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ipv4Address, Ipv4Cidr, MacAddress } from '@rfsis/link';
import { Capture, type CaptureOptions } from './capture.js';
import { mustRun, runCommand } from './commands.js';
import { LabError } from './errors.js';
import { FaultTable, type Direction } from './fault-table.js';
import { cableScript, hostMac, hostScript, readHost, switchMac } from './host-setup.js';
import { LabHost } from './lab-host.js';
import type { LabProcess } from './lab-process.js';
import { monotonicMs } from './monotonic.js';
import {
  checkHostName,
  checkLabName,
  HOST_INTERFACE,
  listNamespaces,
  namespaceOf,
  ownedLabName,
  portOf,
  SWITCH,
} from './names.js';
import {
  onProcessEnd,
  reapDeadLabs,
  removeNamespaces,
  removeNamespacesNow,
  scratchPrefix,
} from './removal.js';
import { availability, requireAvailability, type Availability, type LabNeed } from './requirements.js';
import { buildSwitch, SwitchControl } from './switch-control.js';

/** Options of {@link Lab.create}. */
export interface LabOptions {
  /**
   * With a name the lab stays when this process ends, until {@link Lab.destroy}; other processes find it by its name.
   * Without one it ends with {@link Lab.close} or this process, however that ends.
   */
  readonly name?: string;
  /**
   * Whether interfaces offload checksums and segmentation, as real ones do: faster, but frames from kernels then pass
   * with unfinished checksums and up to 64 KiB long. Default false: every frame is as it would be on a wire.
   */
  readonly offloads?: boolean;
}

/** Options of {@link Lab.addNode}. */
export interface NodeOptions {
  /** Default: 02:52:46:00:00:01 and so on. */
  readonly mac?: string;
  /** Octets of the largest IP packet; default 1500. */
  readonly mtu?: number;
  /** Default: as the lab. */
  readonly offloads?: boolean;
}

/** Options of {@link Lab.addHost}. */
export interface HostOptions extends NodeOptions {
  /** With prefix; default 10.77.0.100/24 and so on. */
  readonly address?: string;
  /** Router of the default route; default none. */
  readonly gateway?: string;
}

/** When the steps of a power loss happened, on the clock of `monotonicMs`. */
export interface PowerLoss {
  /** The programs were stopped and the cable pulled from here on. */
  readonly atMs: number;
  /** The switch had confirmed that the link was down. */
  readonly linkDownAtMs: number;
}

const MAX_HOSTS = 200;
const FIRST_HOST_ADDRESS = Ipv4Address.parse('10.77.0.100').value;
const DEFAULT_PREFIX = 24;
const DEFAULT_MTU = 1500;
const CARRIER_TRIES = 500;
/** The longest frame that segmentation offload makes, and what may be around an IP packet otherwise. */
const SUPER_FRAME_OCTETS = 65_600;
const FRAMING_OCTETS = 64;

/** A small network of namespaces. Use it with `await using`, so that it always goes away. */
export class Lab {
  readonly name: string;
  /** Whether the lab ends with this object. */
  readonly owned: boolean;
  readonly #offloads: boolean;
  readonly #control: SwitchControl;
  readonly #faults: FaultTable;
  readonly #hosts = new Map<string, LabHost>();
  readonly #reserved = new Set<string>();
  readonly #captures = new Set<Capture>();
  readonly #withdrawCleanup: () => void;
  #folder: string | undefined;
  #files = 0;
  /** Hosts that were ever begun; numbers are not used twice. */
  #added = 0;
  #defaultAddresses = 0;
  #maxFrameOctets: number;
  #closing: Promise<void> | undefined;

  private constructor(name: string, owned: boolean, offloads: boolean) {
    this.name = name;
    this.owned = owned;
    this.#offloads = offloads;
    // Of a lab made by others nothing is known.
    this.#maxFrameOctets = owned ? DEFAULT_MTU + FRAMING_OCTETS : SUPER_FRAME_OCTETS;
    this.#withdrawCleanup = onProcessEnd(() => {
      this.#cleanUpNow();
    });
    this.#faults = new FaultTable(name);
    this.#control = new SwitchControl(name);
  }

  /** Whether labs can run here, and if not, why; for tests to decide whether they are skipped. */
  static available(needs?: readonly LabNeed[]): Availability {
    return availability(needs);
  }

  /**
   * Makes a switch, without hosts. First removes what labs of dead processes have left behind.
   * @throws {LabError} `RFSIS_LAB_UNAVAILABLE`, `RFSIS_LAB_NAME_TAKEN`, `RFSIS_LAB_NAME_INVALID`
   */
  static async create(options: LabOptions = {}): Promise<Lab> {
    requireAvailability(['network']);
    await reapDeadLabs();
    if (options.name !== undefined) checkLabName(options.name);
    const name = await claimName(options.name);
    try {
      await buildSwitch(name, switchMac());
    } catch (error) {
      await removeNamespaces([namespaceOf(name, SWITCH)]);
      throw error;
    }
    return new Lab(name, options.name === undefined, options.offloads ?? false);
  }

  /**
   * Finds a lab that was made with a name, by whatever process.
   * @throws {LabError} `RFSIS_LAB_NOT_FOUND`
   */
  static async attach(name: string, options: Pick<LabOptions, 'offloads'> = {}): Promise<Lab> {
    requireAvailability(['network']);
    const found = listNamespaces(name).map(({ host }) => host);
    if (!found.includes(SWITCH)) throw new LabError('RFSIS_LAB_NOT_FOUND', `there is no lab "${name}"`);
    const hosts = await Promise.all(
      found.filter((host) => host !== SWITCH).map(async (host) => readHost(name, host)),
    );
    const lab = new Lab(name, false, options.offloads ?? false);
    for (const facts of hosts) {
      lab.#reserved.add(facts.name);
      lab.#added = Math.max(lab.#added, hosts.length, facts.number);
      lab.#hosts.set(facts.name, new LabHost(facts));
    }
    return lab;
  }

  /** The names of all labs on this machine. */
  static list(): string[] {
    return [...new Set(listNamespaces().map(({ lab }) => lab))];
  }

  /**
   * Removes a lab with everything that runs in it, whoever made it and whatever state it is in.
   * @returns false when there is none
   */
  static async remove(name: string): Promise<boolean> {
    const namespaces = listNamespaces(name).map(({ namespace }) => namespace);
    await removeNamespaces(namespaces);
    return namespaces.length > 0;
  }

  /** Removes what labs of dead processes have left behind; returns their names. */
  static async reap(): Promise<string[]> {
    return reapDeadLabs();
  }

  /** All hosts and nodes, in the order in which they were added. */
  get hosts(): readonly LabHost[] {
    return [...this.#hosts.values()].sort((a, b) => a.number - b.number);
  }

  /** A folder for configurations, sockets and captures, which goes away with the lab. */
  get folder(): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), scratchPrefix(this.name)));
    return this.#folder;
  }

  /** @throws {LabError} `RFSIS_LAB_NOT_FOUND` */
  host(name: string): LabHost {
    const host = this.#hosts.get(name);
    if (host !== undefined) return host;
    const known = [...this.#hosts.keys()].join(', ') || 'none';
    throw new LabError(
      'RFSIS_LAB_NOT_FOUND',
      `there is no host "${name}" in lab "${this.name}"; there are: ${known}`,
    );
  }

  /** Adds a host with an address in the kernel. It can be reached when this returns. */
  async addHost(name: string, options: HostOptions = {}): Promise<LabHost> {
    return this.#add(name, 'host', options);
  }

  /** Adds a node: its interface has no address and the kernel behind it says nothing of its own accord. */
  async addNode(name: string, options: NodeOptions = {}): Promise<LabHost> {
    return this.#add(name, 'node', options);
  }

  /** Writes a JSON file, such as a configuration, into {@link Lab.folder}; returns its path. */
  writeJson(fileName: string, value: unknown): string {
    const file = join(this.folder, fileName);
    writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
    return file;
  }

  /** Kills one program (kill -9); its machine stays up. */
  async kill(program: LabProcess): Promise<void> {
    await program.kill();
  }

  /** Stops one program where it is, as a long stall or a paused machine does (SIGSTOP). */
  async freeze(program: LabProcess): Promise<void> {
    await program.freeze();
  }

  /** Lets a frozen program go on (SIGCONT). */
  async thaw(program: LabProcess): Promise<void> {
    await program.thaw();
  }

  /**
   * The machine loses its power: from one instant on it computes and sends nothing, then everything on it is killed.
   * {@link Lab.linkUp} gives the power back; programs must then be started anew.
   */
  async powerLoss(host: LabHost): Promise<PowerLoss> {
    // Stopped first, killed after the link is down: so no kernel can say goodbye for a dying program.
    const atMs = monotonicMs();
    const pulled = this.#control.pull(host.name);
    host.signalAll('SIGSTOP');
    try {
      await pulled;
      return { atMs, linkDownAtMs: monotonicMs() };
    } finally {
      const running = host.processes;
      host.killEverything();
      await Promise.all(running.map(async (each) => each.ended));
    }
  }

  /** Pulls the cable of a host out of the switch; both ends see it. */
  async linkDown(host: LabHost): Promise<void> {
    await this.#control.pull(host.name);
  }

  /** Puts the cable back; frames pass when this returns. */
  async linkUp(host: LabHost): Promise<void> {
    await this.#control.plug(host.name);
    await carrierAt(host);
  }

  /**
   * Stops all frames from each host of `from` to each of `to`, and in the other direction too unless `oneWay`. ARP
   * included. The links stay up.
   */
  async partition(
    from: readonly LabHost[],
    to: readonly LabHost[],
    options: { readonly oneWay?: boolean } = {},
  ): Promise<void> {
    await this.#faults.cut(ways(from, to, options.oneWay ?? false));
  }

  /** Undoes {@link Lab.partition}: between the given hosts, or all of them. */
  async heal(from?: readonly LabHost[], to?: readonly LabHost[]): Promise<void> {
    await this.#faults.heal(from === undefined || to === undefined ? undefined : ways(from, to, false));
  }

  /** Loses a random fraction (0 to 1) of the frames on a host's cable, ARP included; 0 ends that. */
  async loss(host: LabHost, fraction: number, direction: Direction = 'both'): Promise<void> {
    await this.#faults.lose(host.name, fraction, direction);
  }

  /** Ends partitions and losses, and puts all cables back. Frozen and killed programs stay as they are. */
  async clearFaults(): Promise<void> {
    await this.#faults.clear();
    await Promise.all(this.hosts.map(async (host) => this.linkUp(host)));
  }

  /**
   * Captures what passes the interface of a host, or the switch, into a pcap file. Nothing is missed once it is
   * returned. The switch sees frames that a partition stops, but not those a loss or a pulled cable has taken.
   * @param file default: a new file in {@link Lab.folder}
   */
  async capture(where: LabHost | 'switch', file?: string, options: CaptureOptions = {}): Promise<Capture> {
    requireAvailability(['capture']);
    const host = where === 'switch' ? undefined : where;
    const name = host?.name ?? SWITCH;
    const target = file ?? join(this.folder, `${name}-${this.#files++}.pcap`);
    const device = host === undefined ? Capture.switchDevice : HOST_INTERFACE;
    const bounded = { ...options, maxFrameOctets: this.#maxFrameOctets };
    return Capture.start(namespaceOf(this.name, name), device, target, bounded, (capture) => {
      host?.observe(capture.pid, capture.ended);
      this.#captures.add(capture);
      void capture.ended.then(() => this.#captures.delete(capture));
    });
  }

  /**
   * Ends captures and all programs that were started through this object. A lab without a name is removed, one with a
   * name stays. May be called twice.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close(this.owned);
    return this.#closing;
  }

  /** {@link Lab.close}, and removes the lab, whoever made it, with everything that runs in it. */
  async destroy(): Promise<void> {
    this.#closing ??= this.#close(true);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #add(name: string, kind: 'host' | 'node', options: HostOptions): Promise<LabHost> {
    checkHostName(name);
    if (this.#closing !== undefined) throw new LabError('RFSIS_LAB_CLOSED', `lab "${this.name}" is closed`);
    if (this.#reserved.has(name)) {
      throw new LabError('RFSIS_LAB_NAME_TAKEN', `lab "${this.name}" has a host "${name}" already`);
    }
    if (this.#added >= MAX_HOSTS) {
      throw new LabError('RFSIS_LAB_COMMAND_FAILED', `a lab has at most ${MAX_HOSTS} hosts`);
    }
    const number = ++this.#added;
    const mac = options.mac === undefined ? hostMac(number) : MacAddress.parse(options.mac);
    const address = kind === 'node' ? undefined : this.#addressFor(options.address);
    this.#reserved.add(name);
    const offloads = options.offloads ?? this.#offloads;
    const mtu = options.mtu ?? DEFAULT_MTU;
    this.#maxFrameOctets = Math.max(
      this.#maxFrameOctets,
      offloads ? SUPER_FRAME_OCTETS : mtu + FRAMING_OCTETS,
    );
    const facts = {
      lab: this.name,
      name,
      number,
      kind,
      mac,
      mtu,
      address: address?.address,
    };
    const host = new LabHost(facts);
    try {
      await mustRun(['ip', '-batch', '-'], { input: cableScript(facts) });
      // The far end first: the interface then has its carrier as soon as it is up.
      await this.#control.join(name);
      const script = hostScript({
        offloads,
        address,
        gateway: options.gateway,
      });
      await mustRun(['ip', 'netns', 'exec', host.namespace, 'sh', '-eu'], { input: script });
      await this.#control.plug(name);
    } catch (error) {
      await this.#unplug(host).catch(() => undefined);
      this.#reserved.delete(name);
      throw error;
    }
    this.#hosts.set(name, host);
    return host;
  }

  /** Removes a host for good. Its cable first: the kernel may take its time with the namespace. */
  async #unplug(host: LabHost): Promise<void> {
    await runCommand(['ip', '-netns', namespaceOf(this.name, SWITCH), 'link', 'delete', portOf(host.name)]);
    await removeNamespaces([host.namespace]);
  }

  #addressFor(wanted: string | undefined): Ipv4Cidr {
    if (wanted !== undefined) return Ipv4Cidr.parse(wanted);
    const used = new Set(this.hosts.map(({ address }) => address?.value));
    let value = FIRST_HOST_ADDRESS + this.#defaultAddresses;
    while (used.has(value)) value++;
    this.#defaultAddresses = value - FIRST_HOST_ADDRESS + 1;
    return new Ipv4Cidr(Ipv4Address.fromNumber(value), DEFAULT_PREFIX);
  }

  async #close(remove: boolean): Promise<void> {
    const problems: unknown[] = [];
    const attempt = async (work: Promise<unknown>): Promise<void> => {
      await work.catch((problem: unknown) => problems.push(problem));
    };
    await attempt(Promise.all([...this.#captures].map(async (capture) => capture.stop())));
    const running = this.hosts.flatMap((host) => host.processes);
    for (const each of running) each.killAll();
    this.#control.close();
    if (remove) await attempt(removeNamespaces(listNamespaces(this.name).map(({ namespace }) => namespace)));
    await attempt(Promise.all(running.map(async (each) => each.ended)));
    this.#withdrawCleanup();
    this.#removeFolder();
    if (problems.length > 0) throw problems[0];
  }

  #cleanUpNow(): void {
    for (const host of this.hosts) for (const each of host.processes) each.killAll();
    if (this.owned) removeNamespacesNow(listNamespaces(this.name).map(({ namespace }) => namespace));
    this.#removeFolder();
  }

  #removeFolder(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }
}

/** Makes the namespace of the switch, which is what makes a name taken. */
async function claimName(wanted: string | undefined): Promise<string> {
  for (let number = 0; ; number++) {
    const name = wanted ?? ownedLabName(process.pid, number);
    if (listNamespaces(name).length === 0) {
      const result = await runCommand(['ip', 'netns', 'add', namespaceOf(name, SWITCH)]);
      if (result.code === 0) return name;
      if (!result.stderr.includes('File exists')) {
        throw new LabError(
          'RFSIS_LAB_UNAVAILABLE',
          `no network namespace can be made here: ${result.stderr.trim()}`,
        );
      }
    }
    if (wanted !== undefined) {
      throw new LabError('RFSIS_LAB_NAME_TAKEN', `there is a lab "${wanted}" already`);
    }
  }
}

/** Waits until the interface of a host has noticed that its cable is back. */
async function carrierAt(host: LabHost): Promise<void> {
  const command = ['ip', '-netns', host.namespace, '-oneline', 'link', 'show', 'dev', HOST_INTERFACE];
  for (let tries = 0; tries < CARRIER_TRIES; tries++) {
    if (/\bLOWER_UP\b.*\bstate UP\b/.test(await mustRun(command))) return;
  }
  throw new LabError('RFSIS_LAB_TIMEOUT', `the interface of "${host.name}" does not come up`);
}

function ways(
  from: readonly LabHost[],
  to: readonly LabHost[],
  oneWay: boolean,
): (readonly [string, string])[] {
  return from
    .flatMap((a) => to.filter((b) => a !== b).map((b) => [a.name, b.name] as const))
    .flatMap(([a, b]) => (oneWay ? [[a, b] as const] : [[a, b] as const, [b, a] as const]));
}
