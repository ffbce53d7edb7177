// keepalived in the benchmark: VRRP moves the service address between two kernels, each with an echo service on it.
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import {
  LabError,
  STANDARD_ADDRESSES,
  STANDARD_PREFIX,
  type Lab,
  type LabHost,
  type LabProcess,
} from '@rfsis/tool-lab';
import type { Contender, TakeoverNews } from './contender.js';
import {
  ADVERTISEMENT_MS,
  keepalivedConfiguration,
  keepalivedVersion,
  MASTER_DOWN_MS,
} from './keepalived-configuration.js';

const STATE_TIMEOUT_MS = 5_000;
const STOP_TIMEOUT_MS = 3_000;
/** A new backup has heard many advertisements by then, or would have become master by mistake. */
const SETTLE_MS = 300;
const SERVICE_PORT = 7;

interface Node {
  readonly host: LabHost;
  readonly address: string;
  keepalived: LabProcess | undefined;
  echo: LabProcess | undefined;
}

export class KeepalivedContender implements Contender {
  readonly name = 'keepalived';
  readonly version: string;
  readonly intervalMs = ADVERTISEMENT_MS;
  readonly timeoutMs = MASTER_DOWN_MS;
  readonly #lab: Lab;
  readonly #nodes: readonly [Node, Node];
  #main: Node;
  #backup: Node;
  #boots = 0;

  private constructor(lab: Lab, nodes: readonly [Node, Node], version: string) {
    this.#lab = lab;
    this.#nodes = nodes;
    [this.#main, this.#backup] = nodes;
    this.version = version;
  }

  /** @returns undefined when keepalived is not installed */
  static async find(lab: Lab): Promise<KeepalivedContender | undefined> {
    const { stdout, stderr } = await lab.host('client').exec(['keepalived', '--version']);
    const version = keepalivedVersion(stdout + stderr);
    if (version === undefined) return undefined;
    const node = (name: 'alpha' | 'beta'): Node => ({
      host: lab.host(name),
      address: `${STANDARD_ADDRESSES[name]}/${STANDARD_PREFIX}`,
      keepalived: undefined,
      echo: undefined,
    });
    return new KeepalivedContender(lab, [node('alpha'), node('beta')], version);
  }

  get main(): LabHost {
    return this.#main.host;
  }

  get backup(): LabHost {
    return this.#backup.host;
  }

  async start(): Promise<void> {
    [this.#main, this.#backup] = this.#nodes;
    await this.#boot(this.#main);
    await this.#enters(this.#main, 'MASTER');
    await this.#boot(this.#backup);
    await this.#isBackup(this.#backup);
  }

  disturbance(): string | undefined {
    const [main, backup] = [this.#main, this.#backup];
    if (stateOf(main) === 'MASTER' && stateOf(backup) === 'BACKUP') return undefined;
    return `${main.host.name} is ${stateOf(main)} and ${backup.host.name} is ${stateOf(backup)}`;
  }

  expectTakeover(): () => Promise<TakeoverNews> {
    const heir = this.#backup;
    const mark = processOf(heir).mark();
    return async () => {
      const { atMs } = await this.#enters(heir, 'MASTER', mark);
      return { loggedAtMs: atMs, detectMs: null, installMs: null };
    };
  }

  async restore(): Promise<void> {
    const [dead, heir] = [this.#main, this.#backup];
    await this.#wipe(dead);
    await this.#lab.linkUp(dead.host);
    await this.#boot(dead);
    await this.#isBackup(dead);
    this.#main = heir;
    this.#backup = dead;
  }

  async stop(): Promise<void> {
    for (const node of this.#nodes) {
      await node.keepalived?.stop(STOP_TIMEOUT_MS);
      await node.echo?.kill();
      await this.#wipe(node);
      await this.#lab.linkUp(node.host);
    }
  }

  /** From a machine without addresses to one that runs the service and keepalived. */
  async #boot(node: Node): Promise<void> {
    const { host, address } = node;
    // The service binds to its address before this kernel has it.
    const bindAhead = 'echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind';
    await host.exec(['sh', '-c', bindAhead], { check: true });
    await host.addAddress(address);
    const { service } = STANDARD_ADDRESSES;
    const echo = ['python3', 'tools/lab/clients/udp_echo.py', service, String(SERVICE_PORT)];
    node.echo = await host.spawnNode(echo);

    // Files of its own for each start: what was killed leaves its process ids behind.
    const file = `${this.#lab.folder}/keepalived-${host.name}-${++this.#boots}`;
    const configuration = keepalivedConfiguration({
      name: host.name,
      interface: host.interface,
      serviceAddress: `${service}/${STANDARD_PREFIX}`,
    });
    writeFileSync(`${file}.conf`, configuration, { mode: 0o600 });
    // In the foreground, VRRP only, all that it writes in the lab's folder; it logs to standard error, not to syslog.
    const options = `-n -l -G -P -R -f ${file}.conf -p ${file}.pid -r ${file}-vrrp.pid`;
    node.keepalived = host.spawn(['sh', '-c', `exec keepalived ${options} 2>&1`]);
  }

  /** What a power loss does to a kernel: its addresses and its ARP cache are gone. */
  async #wipe(node: Node): Promise<void> {
    await node.host.exec(['ip', 'address', 'flush', 'dev', node.host.interface], { check: true });
    await node.host.flushNeighbours();
  }

  async #isBackup(node: Node): Promise<void> {
    await this.#enters(node, 'BACKUP');
    await delay(SETTLE_MS);
    if (stateOf(node) === 'BACKUP') return;
    const message = `keepalived on ${node.host.name} took the address from a living master`;
    throw new LabError('RFSIS_LAB_OUTPUT_INVALID', message);
  }

  async #enters(node: Node, state: 'MASTER' | 'BACKUP', after = 0): Promise<{ readonly atMs: number }> {
    return processOf(node).waitForLine(`Entering ${state} STATE`, STATE_TIMEOUT_MS, after);
  }
}

/** What it logged last. */
function stateOf({ keepalived }: Node): string {
  const states = keepalived?.output.kept.map(({ text }) => /Entering (\S+) STATE/.exec(text)?.[1]);
  return (
    (keepalived?.running === true ? states?.findLast((each) => each !== undefined) : undefined) ?? 'gone'
  );
}

function processOf({ keepalived, host }: Node): LabProcess {
  if (keepalived !== undefined) return keepalived;
  throw new LabError('RFSIS_LAB_COMMAND_FAILED', `keepalived was not started on ${host.name}`);
}
