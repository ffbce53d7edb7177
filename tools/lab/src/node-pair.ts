// Two RFSIS nodes that run the same application in a lab, with a client and a gateway beside them.
import { LabError } from './errors.js';
import { Lab, type LabOptions, type PowerLoss } from './lab.js';
import type { LabHost } from './lab-host.js';
import type { LabEvent, LabProcess } from './lab-process.js';
import { workspaceFolder } from './workspace.js';
import { addStandardHosts, nodeConfiguration, STANDARD_NODES, type StandardNode } from './standard-layout.js';

/** Options of {@link NodePair.create}. */
export interface NodePairOptions extends Pick<LabOptions, 'offloads'> {
  /** The built main file of the application, relative to the workspace. */
  readonly application: string;
  /** Replaces or adds to the configuration of both nodes. */
  readonly configuration?: Readonly<Record<string, unknown>>;
}

const START_TIMEOUT_MS = 20_000;
const ROLE_TIMEOUT_MS = 10_000;

/** One of the two nodes: its machine stays, its processes come and go. */
export class PairNode {
  readonly name: StandardNode;
  readonly host: LabHost;
  readonly configurationFile: string;
  /** What its process writes its control socket to. */
  readonly controlSocket: string;
  readonly #application: string;
  #process: LabProcess | undefined;

  /** @internal Use {@link NodePair}. */
  constructor(name: StandardNode, host: LabHost, lab: Lab, options: NodePairOptions) {
    this.name = name;
    this.host = host;
    this.#application = options.application;
    this.controlSocket = `${lab.folder}/${name}.sock`;
    this.configurationFile = lab.writeJson(
      `${name}.json`,
      nodeConfiguration(name, { controlSocket: this.controlSocket, ...options.configuration }),
    );
  }

  /** @throws {LabError} before the first start */
  get process(): LabProcess {
    if (this.#process === undefined) {
      throw new LabError('RFSIS_LAB_COMMAND_FAILED', `${this.name} was never started`);
    }
    return this.#process;
  }

  get running(): boolean {
    return this.#process?.running === true;
  }

  /** The role it logged last; undefined when it does not run or has none yet. */
  get role(): string | undefined {
    if (!this.running) return undefined;
    const role = this.process.events({ event: 'role' }).at(-1)?.fields['to'];
    return typeof role === 'string' ? role : undefined;
  }

  /** Starts a process without waiting for it. */
  spawn(): LabProcess {
    const command = ['node', this.#application, '--config', this.configurationFile];
    this.#process = this.host.spawn(command, { cwd: workspaceFolder() });
    return this.#process;
  }

  /** Starts a process and waits until it has a role. */
  async start(): Promise<void> {
    this.#process = await this.host.spawnNode(
      ['node', this.#application, '--config', this.configurationFile],
      { ready: { event: 'ready' }, readyTimeoutMs: START_TIMEOUT_MS },
    );
  }

  /** Waits until its log says that it has this role, after line `after` of its output. */
  async becomes(role: string, after = 0, timeoutMs = ROLE_TIMEOUT_MS): Promise<LabEvent> {
    return this.process.waitForEvent({ event: 'role', to: role }, timeoutMs, after);
  }
}

/** A running pair. */
export class NodePair {
  readonly lab: Lab;
  readonly alpha: PairNode;
  readonly beta: PairNode;
  readonly client: LabHost;
  readonly gateway: LabHost;

  private constructor(lab: Lab, client: LabHost, gateway: LabHost, nodes: Record<StandardNode, PairNode>) {
    this.lab = lab;
    this.client = client;
    this.gateway = gateway;
    this.alpha = nodes.alpha;
    this.beta = nodes.beta;
  }

  /** Makes the network; nothing is started. */
  static async create(options: NodePairOptions): Promise<NodePair> {
    const lab = await Lab.create(options.offloads === undefined ? {} : { offloads: options.offloads });
    try {
      const hosts = await addStandardHosts(lab);
      const node = (name: StandardNode): PairNode => new PairNode(name, hosts[name], lab, options);
      return new NodePair(lab, hosts.client, hosts.gateway, { alpha: node('alpha'), beta: node('beta') });
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  get nodes(): readonly PairNode[] {
    return STANDARD_NODES.map((name) => this[name]);
  }

  /** Starts alpha, which becomes main, then beta, and waits until the service is protected. */
  async start(): Promise<void> {
    await this.alpha.start();
    await this.beta.start();
    await this.isProtected(this.alpha);
  }

  /** Waits until a main says that its backup is in sync, after line `after` of its output. */
  async isProtected(main: PairNode, after = 0): Promise<void> {
    await main.process.waitForEvent({ event: 'sync', state: 'protected' }, ROLE_TIMEOUT_MS, after);
  }

  async powerLoss(node: PairNode): Promise<PowerLoss> {
    return this.lab.powerLoss(node.host);
  }

  /** Gives the power back and waits until the node has a role again. */
  async powerUp(node: PairNode): Promise<void> {
    await this.lab.linkUp(node.host);
    await node.start();
  }

  async close(): Promise<void> {
    await this.lab.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
