// The demonstration for real: network namespaces, the kernel as client, two processes, a power loss.
import { ControlClient } from '@rfsis/core';
import { monotonicMs, NodePair, startUdpProbe, STANDARD_ADDRESSES, type UdpProbe } from '@rfsis/tool-lab';
import { noteOf, peerOf, type ClientReport, type NodeName, type Stage, type StageListener } from './stage.js';

const PORT = 7;
const HEARTBEAT = { intervalMs: 20, timeoutMs: 100 };
/** How often new log lines are looked for. */
const LOOK_MS = 5;

export class LabStage implements Stage {
  readonly description =
    'network namespaces on this machine: a switch, two nodes on their own IP stack, a Linux kernel as client';
  readonly #pair: NodePair;
  readonly #listener: StageListener;
  readonly #originMs = monotonicMs();
  readonly #looker: NodeJS.Timeout;
  readonly #seen: Record<NodeName, { pid: number; lines: number }> = {
    alpha: { pid: 0, lines: 0 },
    beta: { pid: 0, lines: 0 },
  };
  #probe: UdpProbe | undefined;

  private constructor(pair: NodePair, listener: StageListener) {
    this.#pair = pair;
    this.#listener = listener;
    this.#looker = setInterval(() => {
      this.#look();
    }, LOOK_MS);
  }

  static async create(listener: StageListener): Promise<LabStage> {
    const pair = await NodePair.create({
      application: 'apps/echo-udp/dist/main.js',
      configuration: { heartbeat: HEARTBEAT },
    });
    return new LabStage(pair, listener);
  }

  now(): number {
    return monotonicMs() - this.#originMs;
  }

  async start(): Promise<void> {
    await this.#pair.start();
    this.#look();
  }

  async startClient(): Promise<void> {
    this.#probe = await startUdpProbe(this.#pair.client, { address: STANDARD_ADDRESSES.service, port: PORT });
    await this.#probe.answered();
  }

  async pause(durationMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, durationMs));
  }

  async powerLoss(node: NodeName): Promise<void> {
    const other = this.#pair[peerOf(node)];
    const mark = other.process.mark();
    const { atMs } = await this.#pair.powerLoss(this.#pair[node]);
    this.#listener({ kind: 'off', atMs: atMs - this.#originMs, node });
    await other.becomes('main', mark);
    this.#look();
  }

  async powerUp(node: NodeName): Promise<void> {
    const main = this.#pair[peerOf(node)];
    const mark = main.process.mark();
    await this.#pair.powerUp(this.#pair[node]);
    await this.#pair.isProtected(main, mark);
    this.#look();
  }

  async handover(from: NodeName): Promise<void> {
    await new ControlClient(this.#pair[from].controlSocket).handover();
    this.#look();
  }

  async stopClient(): Promise<ClientReport> {
    if (this.#probe === undefined) throw new Error('the client was not started');
    const report = await this.#probe.stop();
    const beganAtMs = report.startedAtMs - this.#originMs;
    return {
      sent: report.sent,
      answered: report.answered,
      duplicated: report.duplicated,
      corrupted: report.corrupted,
      gaps: report.gaps.map(({ startMs, ms }) => ({ startMs: beganAtMs + startMs, ms })),
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#looker);
    await this.#pair.close();
  }

  /** Passes on what the nodes have logged since the last look. */
  #look(): void {
    for (const node of this.#pair.nodes) {
      if (!node.running) continue;
      const seen = this.#seen[node.name];
      if (seen.pid !== node.process.pid) Object.assign(seen, { pid: node.process.pid, lines: 0 });
      for (const event of node.process.events({}, seen.lines)) {
        seen.lines = event.number + 1;
        const atMs = event.atMs - this.#originMs;
        const { event: name, to } = event.fields;
        if (name === 'role') this.#listener({ kind: 'role', atMs, node: node.name, role: String(to) });
        const text = noteOf(event.fields);
        if (text !== undefined) this.#listener({ kind: 'note', atMs, who: node.name, text });
      }
    }
  }
}
