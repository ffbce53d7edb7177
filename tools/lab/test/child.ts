// Programs that tests start beside the lab, not in it: their output as lines, their end, and signals.
import { spawn } from 'node:child_process';
import { OutputLines } from '../src/index.js';

/** How a {@link Child} ended. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A Node.js program in a process of its own. */
export class Child {
  readonly pid: number;
  readonly output = new OutputLines();
  readonly errors = new OutputLines();
  readonly ended: Promise<ChildEnd>;

  constructor(file: string, ...args: readonly string[]) {
    const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.pid = child.pid ?? -1;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.output.push(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errors.push(text);
    });
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.output.end();
        this.errors.end();
        resolve({ code, signal });
      });
    });
  }

  /** The fields of the next event of one of the given kinds. */
  async event(...kinds: readonly string[]): Promise<Record<string, unknown>> {
    const line = await this.output.waitFor(
      ({ text }) => kinds.some((kind) => text.includes(`"event":"${kind}"`)),
      20_000,
    );
    if (typeof line === 'string')
      throw new Error(`no ${kinds.join(' or ')}: ${line}; ${this.errors.tail(20)}`);
    return JSON.parse(line.text) as Record<string, unknown>;
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  async kill(): Promise<void> {
    try {
      this.signal('SIGKILL');
    } catch {
      // Ended already.
    }
    await this.ended;
  }
}
