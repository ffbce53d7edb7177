// RFSIS in the benchmark: two nodes of apps/echo-udp.
import type { LabHost, NodePair, PairNode } from '@rfsis/tool-lab';
import type { Contender, TakeoverNews } from './contender.js';

const TAKEOVER_TIMEOUT_MS = 5_000;

/** How the nodes watch each other. */
export interface RfsisTimers {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export class RfsisContender implements Contender {
  readonly name = 'RFSIS';
  readonly version: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly #pair: NodePair;
  #main: PairNode;
  #backup: PairNode;

  /** @param pair with the timers in its configuration */
  constructor(pair: NodePair, timers: RfsisTimers, version: string) {
    this.#pair = pair;
    this.version = version;
    this.intervalMs = timers.intervalMs;
    this.timeoutMs = timers.timeoutMs;
    this.#main = pair.alpha;
    this.#backup = pair.beta;
  }

  get main(): LabHost {
    return this.#main.host;
  }

  get backup(): LabHost {
    return this.#backup.host;
  }

  async start(): Promise<void> {
    this.#main = this.#pair.alpha;
    this.#backup = this.#pair.beta;
    await this.#pair.start();
  }

  disturbance(): string | undefined {
    const [main, backup] = [this.#main, this.#backup];
    if (main.role === 'main' && backup.role === 'backup') return undefined;
    return `${main.name} is ${main.role ?? 'gone'} and ${backup.name} is ${backup.role ?? 'gone'}`;
  }

  expectTakeover(): () => Promise<TakeoverNews> {
    const { process } = this.#backup;
    const mark = process.mark();
    return async () => {
      const { atMs, fields } = await process.waitForEvent({ event: 'takeover' }, TAKEOVER_TIMEOUT_MS, mark);
      return {
        loggedAtMs: atMs,
        detectMs: numberOf(fields['detectMs']),
        installMs: numberOf(fields['installMs']),
      };
    };
  }

  async restore(): Promise<void> {
    const [dead, heir] = [this.#main, this.#backup];
    const mark = heir.process.mark();
    await this.#pair.powerUp(dead);
    await this.#pair.isProtected(heir, mark);
    this.#main = heir;
    this.#backup = dead;
  }

  async stop(): Promise<void> {
    for (const node of this.#pair.nodes) {
      if (node.running) await node.process.kill();
      await this.#pair.lab.linkUp(node.host);
    }
  }
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
