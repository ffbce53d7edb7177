// Programs of this package as processes of their own.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE = join(import.meta.dirname, '../..');

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running process of Node.js. */
export class Child {
  readonly process: ChildProcess;
  readonly ended: Promise<Ending>;
  #stdout = '';
  #stderr = '';
  #onOutput: () => void = () => undefined;

  /** @param stdout a file descriptor for its standard output, instead of a pipe to here */
  constructor(args: readonly string[], stdout: number | 'pipe' = 'pipe') {
    this.process = spawn(process.execPath, args, { cwd: PACKAGE, stdio: ['ignore', stdout, 'pipe'] });
    this.process.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#stdout += chunk;
      this.#onOutput();
    });
    this.process.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.#stderr += chunk));
    this.ended = new Promise((resolve) => {
      this.process.on('close', (code, signal) => {
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
        this.#onOutput();
      });
    });
  }

  /** Waits until standard output contains a text; fails when the process ends before. */
  async prints(text: string): Promise<void> {
    while (!this.#stdout.includes(text)) {
      if (this.process.exitCode !== null) {
        throw new Error(`it ended before it printed ${text}: ${this.#stdout}${this.#stderr}`);
      }
      await new Promise<void>((more) => (this.#onOutput = more));
    }
  }
}

/** Runs a built file. */
export function run(file: string, ...args: string[]): Child {
  return new Child([built(file), ...args]);
}

/** Runs the text of a module in the folder of this package. */
export function runModule(text: string, stdout?: number): Child {
  built('dist/index.js');
  return new Child(['--input-type=module', '--eval', text], stdout);
}

function built(file: string): string {
  const path = join(PACKAGE, file);
  if (!existsSync(path)) throw new Error(`${path} is missing; build it first: npx tsc -b packages/core`);
  return path;
}
