// The demonstration without root: the same nodes in one process, on a switch in memory, in virtual time.
import { World, type NodeSlot, type SimulatedClient, type UdpProber } from '@rfsis/tool-sim';
import { noteOf, peerOf, type ClientReport, type NodeName, type Stage, type StageListener } from './stage.js';

const LIMIT_MS = 5000;

export class MemoryStage implements Stage {
  readonly description =
    'memory, in virtual time: the same two nodes and stacks, but a simulated switch and client (run as root for real ones)';
  readonly #world: World;
  readonly #slots: Record<NodeName, NodeSlot>;
  readonly #client: SimulatedClient;
  readonly #listener: StageListener;
  #prober: UdpProber | undefined;

  constructor(listener: StageListener) {
    this.#listener = listener;
    this.#world = new World({
      onEvent: (event) => {
        const node = event.node as NodeName;
        if (event.event === 'role')
          listener({ kind: 'role', atMs: event.atMs, node, role: String(event['to']) });
        const text = noteOf(event);
        if (text !== undefined) listener({ kind: 'note', atMs: event.atMs, who: node, text });
      },
    });
    this.#slots = this.#world.addPair();
    this.#client = this.#world.addClient('client', '10.77.0.100');
  }

  now(): number {
    return this.#world.clock.now();
  }

  async start(): Promise<void> {
    const { alpha, beta } = this.#slots;
    void this.#world.start(alpha);
    void this.#world.start(beta);
    await this.#world.runUntil(() => alpha.serving && beta.role === 'backup', LIMIT_MS, 'alpha serves');
  }

  startClient(): Promise<void> {
    this.#prober = this.#client.probe();
    return Promise.resolve();
  }

  async pause(durationMs: number): Promise<void> {
    await this.#world.run(durationMs);
  }

  async powerLoss(node: NodeName): Promise<void> {
    this.#world.powerLoss(this.#slots[node]);
    this.#listener({ kind: 'off', atMs: this.now(), node });
    const other = this.#slots[peerOf(node)];
    await this.#world.runUntil(() => other.serving, LIMIT_MS, `${other.name} serves`);
  }

  async powerUp(node: NodeName): Promise<void> {
    const slot = this.#slots[node];
    void this.#world.start(slot);
    await this.#world.runUntil(() => slot.role === 'backup', LIMIT_MS, `${node} is backup`);
    await this.#world.run(50);
  }

  async handover(from: NodeName): Promise<void> {
    const handedOver = this.#slots[from].node?.handover();
    await this.#world.run(10);
    await handedOver;
  }

  async stopClient(): Promise<ClientReport> {
    if (this.#prober === undefined) throw new Error('the client was not started');
    this.#prober.stop();
    await this.#world.run(50);
    return this.#prober.report();
  }

  close(): Promise<void> {
    for (const slot of Object.values(this.#slots)) this.#world.kill(slot);
    return Promise.resolve();
  }
}
