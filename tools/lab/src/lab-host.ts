// One machine of a lab: a network namespace with one interface, plugged into the switch.
import { MacAddress, type Ipv4Address } from '@rfsis/link';
import {
  commandFailed,
  inNamespace,
  mustRun,
  runCommand,
  type CommandOptions,
  type CommandResult,
} from './commands.js';
import { HOST_INTERFACE, namespaceOf } from './names.js';
import { killProcessesIn } from './namespace-processes.js';
import { LabProcess, type EventMatch, type SpawnOptions } from './lab-process.js';
import { workspaceFolder } from './workspace.js';

/** Options of {@link LabHost.exec}. */
export interface ExecOptions extends CommandOptions {
  /** Makes a failing exit code an error. Default false. */
  readonly check?: boolean;
}

/** Options of {@link LabHost.spawnNode}. */
export interface SpawnNodeOptions extends SpawnOptions {
  /** What the node prints when it works; default `{ event: 'ready' }`. */
  readonly ready?: EventMatch;
  /** Default 15,000: a busy machine takes its time to load a program. */
  readonly readyTimeoutMs?: number;
}

/** What a {@link LabHost} is made of. */
export interface LabHostFacts {
  /** From 1, in the order in which hosts were added. */
  readonly number: number;
  readonly lab: string;
  readonly name: string;
  readonly kind: 'host' | 'node';
  readonly mac: MacAddress;
  readonly mtu: number;
  readonly address: Ipv4Address | undefined;
}

const NODE_READY_MS = 15_000;

/**
 * A host (with addresses of its own, in the kernel) or a node (whose interface has none, for a user-space stack). All
 * programs run as root, with the file system of the machine.
 */
export class LabHost {
  readonly name: string;
  /** From 1, in the order in which hosts were added. */
  readonly number: number;
  /** A `host` has an address in the kernel, a `node` has none. */
  readonly kind: 'host' | 'node';
  /** The network namespace: `ip netns exec <namespace> <command>` runs a command in it. */
  readonly namespace: string;
  /** The interface that leads to the switch. */
  readonly interface = HOST_INTERFACE;
  readonly mac: MacAddress;
  /** Octets of the largest IP packet on the interface. */
  readonly mtu: number;
  /** The first address, as it was when the host was made or found; undefined for a node. */
  readonly address: Ipv4Address | undefined;
  readonly #processes = new Set<LabProcess>();
  /** Processes that belong to the lab and not to the host, such as captures. */
  readonly #observers = new Set<number>();

  /** @internal Use `Lab.addHost` and `Lab.addNode`. */
  constructor(facts: LabHostFacts) {
    this.name = facts.name;
    this.number = facts.number;
    this.kind = facts.kind;
    this.namespace = namespaceOf(facts.lab, facts.name);
    this.mac = facts.mac;
    this.mtu = facts.mtu;
    this.address = facts.address;
  }

  /** The programs that were started here through this object and still run. */
  get processes(): readonly LabProcess[] {
    return [...this.#processes];
  }

  /**
   * Runs a command to its end. `node` as program means the Node.js that runs this.
   * @throws {LabError} `RFSIS_LAB_TIMEOUT` (default 10 s, then it is killed); with `check` also
   *   `RFSIS_LAB_COMMAND_FAILED`
   */
  async exec(command: readonly string[], options: ExecOptions = {}): Promise<CommandResult> {
    const result = await runCommand(inNamespace(this.namespace, command), options);
    if (options.check === true && result.code !== 0) throw commandFailed(command, result);
    return result;
  }

  /** Starts a program that goes on running. It ends with the lab at the latest. */
  spawn(command: readonly string[], options: SpawnOptions = {}): LabProcess {
    const started = new LabProcess(this.namespace, command, options);
    this.#processes.add(started);
    void started.ended.then(() => this.#processes.delete(started));
    return started;
  }

  /**
   * Starts an RFSIS node, with paths relative to the workspace, and waits until it says that it is ready.
   * @example await host.spawnNode(['node', 'apps/echo-udp/dist/main.js', '--config', file])
   * @throws {LabError} `RFSIS_LAB_PROCESS_ENDED` with its last words, `RFSIS_LAB_TIMEOUT`
   */
  async spawnNode(command: readonly string[], options: SpawnNodeOptions = {}): Promise<LabProcess> {
    const node = this.spawn(command, { cwd: workspaceFolder(), ...options });
    try {
      await node.waitForEvent(options.ready ?? { event: 'ready' }, options.readyTimeoutMs ?? NODE_READY_MS);
      return node;
    } catch (error) {
      node.killAll();
      throw error;
    }
  }

  /** Gives the kernel one more address, such as `10.77.0.10/24`. It answers for it, but does not announce it. */
  async addAddress(cidr: string): Promise<void> {
    await mustRun(['ip', '-netns', this.namespace, 'address', 'add', cidr, 'dev', HOST_INTERFACE]);
  }

  /** Takes an address away from the kernel. */
  async removeAddress(cidr: string): Promise<void> {
    await mustRun(['ip', '-netns', this.namespace, 'address', 'del', cidr, 'dev', HOST_INTERFACE]);
  }

  /** The MAC address that the kernel here has in its ARP cache for `address`. */
  async neighbour(address: string): Promise<MacAddress | undefined> {
    const command = [
      'ip',
      '-netns',
      this.namespace,
      'neighbour',
      'show',
      'to',
      address,
      'dev',
      HOST_INTERFACE,
    ];
    const mac = /\blladdr (\S+)/.exec(await mustRun(command))?.[1];
    return mac === undefined ? undefined : MacAddress.parse(mac);
  }

  /** Empties the ARP cache. */
  async flushNeighbours(): Promise<void> {
    await mustRun(['ip', '-netns', this.namespace, 'neighbour', 'flush', 'dev', HOST_INTERFACE]);
  }

  /** For captures: marks a process as part of the lab, so that a power loss of the host spares it. @internal */
  observe(pid: number, ended: Promise<unknown>): void {
    this.#observers.add(pid);
    void ended.then(() => this.#observers.delete(pid));
  }

  /** Sends a signal to all known programs at once. @internal */
  signalAll(signal: NodeJS.Signals): void {
    for (const each of this.#processes) each.signal(signal);
  }

  /** Kills everything that runs here, known or not, except captures. @internal */
  killEverything(): void {
    this.signalAll('SIGKILL');
    for (const each of this.#processes) each.killAll();
    killProcessesIn([this.namespace], this.#observers);
  }
}
