// Which processes live in a namespace, and their end. Works without any other program, also while this process ends.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NAMESPACE_FOLDER } from './names.js';

/** The processes in the given namespaces, found by the identity of their network namespace. */
export function processesIn(namespaces: readonly string[]): number[] {
  const own = identity('/proc/self/ns/net');
  const wanted = new Set(namespaces.map((each) => identity(join(NAMESPACE_FOLDER, each))));
  wanted.delete(undefined);
  // A name without a namespace behind it must never lead to the processes of the machine itself.
  wanted.delete(own);
  if (wanted.size === 0) return [];
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && wanted.has(identity(`/proc/${entry}/ns/net`)))
    .map(Number);
}

/** Kills all processes in the given namespaces, but not those in `except`. */
export function killProcessesIn(
  namespaces: readonly string[],
  except: ReadonlySet<number> = new Set(),
): void {
  // Again, until a round finds none: a process may start another while it is looked for.
  for (let round = 0; round < 5; round++) {
    const found = processesIn(namespaces).filter((pid) => !except.has(pid));
    if (found.length === 0) return;
    for (const pid of found) signalProcess(pid, 'SIGKILL');
  }
}

/** @returns false when there is no such process any more */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Whether a process of this id runs, whoever owns it; one that has ended but was not yet taken note of does not. */
export function isAlive(pid: number): boolean {
  const state = stateIn(`/proc/${pid}/stat`);
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** The state letters of all threads of a process; none when there is no such process. */
export function threadStates(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map((thread) => stateIn(`/proc/${pid}/task/${thread}/stat`))
      .filter((state) => state !== undefined);
  } catch {
    return [];
  }
}

/** The state letter in a `stat` file of proc(5); undefined when what it describes is gone. */
function stateIn(file: string): string | undefined {
  try {
    const status = readFileSync(file, 'utf8');
    // The name before the state may contain anything.
    return status.charAt(status.lastIndexOf(')') + 2);
  } catch {
    return undefined;
  }
}

/** Device and inode of a namespace: equal for two files exactly when they name the same namespace. */
function identity(file: string): string | undefined {
  try {
    const { dev, ino } = statSync(file);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
