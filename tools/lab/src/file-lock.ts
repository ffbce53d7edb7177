// Locks between processes that the kernel takes back when a process ends, however it ends.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { resolveProgram } from './commands.js';

/**
 * A lock (flock(2)) on a file. It belongs to the open file, which this process alone keeps; the program `flock` only
 * sets it.
 */
export class FileLock {
  #descriptor: number | undefined;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** @returns undefined when somebody else holds it for all of `waitS` seconds; 0 only tries */
  static async acquire(file: string, waitS: number): Promise<FileLock | undefined> {
    const lock = new FileLock(open(file));
    const [program = '', ...args] = flockCommand(waitS);
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore', lock.#descriptor] });
    const held = await new Promise<boolean>((resolve) => {
      child.once('exit', (code) => {
        resolve(code === 0);
      });
      child.once('error', () => {
        resolve(false);
      });
    });
    return lock.#unlessRefused(held);
  }

  /** {@link FileLock.acquire} for the last moments of a process. */
  static acquireNow(file: string, waitS: number): FileLock | undefined {
    const lock = new FileLock(open(file));
    const [program = '', ...args] = flockCommand(waitS);
    const { status } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'ignore', lock.#descriptor] });
    return lock.#unlessRefused(status === 0);
  }

  /** May be called twice. */
  release(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #unlessRefused(held: boolean): this | undefined {
    if (held) return this;
    this.release();
    return undefined;
  }
}

/** Files of namespaces can be opened, but not for writing; others are made when they are missing. */
function open(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return openSync(file, 'a', 0o600);
  }
}

function flockCommand(waitS: number): readonly string[] {
  const wait = waitS === 0 ? ['--nonblock'] : ['--wait', String(waitS)];
  return resolveProgram(['flock', '--exclusive', ...wait, '3']);
}
