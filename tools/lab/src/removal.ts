// The end of namespaces: of one lab, of labs whose process died, and of whatever is left when this process ends.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mustRun } from './commands.js';
import { listNamespaces, ownerOf, parseNamespace } from './names.js';
import { isAlive, killProcessesIn } from './namespace-processes.js';
import { findProgram } from './requirements.js';

const REMOVAL_TIMEOUT_MS = 20_000;
const SCRATCH = /^rfsis-(\d+-\d+)-[^-]+$/;
const ENDING_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Kills the processes in the namespaces and removes these. Namespaces that are gone already are no error. */
export async function removeNamespaces(namespaces: readonly string[]): Promise<void> {
  const present = existing(namespaces);
  if (present.length === 0) return;
  killProcessesIn(present);
  try {
    await mustRun(['ip', '-force', '-batch', '-'], {
      input: deletions(present),
      timeoutMs: REMOVAL_TIMEOUT_MS,
    });
  } catch (error) {
    // Somebody else may have removed the same ones at the same time.
    if (existing(present).length > 0) throw error;
  }
}

/** {@link removeNamespaces} for the last moments of a process: returns when it is done. */
export function removeNamespacesNow(namespaces: readonly string[]): void {
  const present = existing(namespaces);
  const ip = findProgram('ip');
  if (present.length === 0 || ip === undefined) return;
  killProcessesIn(present);
  spawnSync(ip, ['-force', '-batch', '-'], {
    input: deletions(present),
    stdio: ['pipe', 'ignore', 'ignore'],
    timeout: REMOVAL_TIMEOUT_MS,
  });
}

/** How the names of folders for the files of a lab begin; they are in the system's folder for temporary files. */
export function scratchPrefix(lab: string): string {
  return `rfsis-${lab}-`;
}

/**
 * Removes what is left of labs whose process died without a chance to clean up.
 * @returns the names of those labs
 */
export async function reapDeadLabs(): Promise<string[]> {
  const dead = listNamespaces().filter(({ lab }) => isOrphan(lab));
  await removeNamespaces(dead.map(({ namespace }) => namespace));
  for (const entry of readdirSync(tmpdir())) {
    const lab = SCRATCH.exec(entry)?.[1];
    if (lab !== undefined && isOrphan(lab)) rmSync(join(tmpdir(), entry), { recursive: true, force: true });
  }
  return [...new Set(dead.map(({ lab }) => lab))];
}

/**
 * One list for the process, even when this module is loaded twice (sources and build, say): its signal handlers must
 * not take each other for those of the program.
 */
const pendingCleanups = shared('rfsis.lab.cleanups', () => new Set<() => void>());

/**
 * Has `cleanup` called when this process ends by itself, by an uncaught error, or by SIGINT, SIGTERM or SIGHUP. A
 * program that handles such a signal itself keeps the decision: then the call comes when it exits.
 * @returns withdraws the request
 */
export function onProcessEnd(cleanup: () => void): () => void {
  if (pendingCleanups.size === 0) {
    process.on('exit', handlers.exit);
    for (const signal of ENDING_SIGNALS) process.on(signal, handlers.signal);
  }
  pendingCleanups.add(cleanup);
  return () => {
    pendingCleanups.delete(cleanup);
    if (pendingCleanups.size > 0) return;
    process.off('exit', handlers.exit);
    for (const signal of ENDING_SIGNALS) process.off(signal, handlers.signal);
  };
}

const handlers = shared('rfsis.lab.handlers', () => ({ exit: runCleanups, signal: endBySignal }));

function shared<Value>(name: string, make: () => Value): Value {
  const place = globalThis as unknown as Record<symbol, Value | undefined>;
  return (place[Symbol.for(name)] ??= make());
}

function runCleanups(): void {
  for (const cleanup of pendingCleanups) cleanup();
  pendingCleanups.clear();
}

function endBySignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  runCleanups();
  // With our handler gone the signal does what it does to a process that does not handle it.
  process.off(signal, handlers.signal);
  process.kill(process.pid, signal);
}

function isOrphan(lab: string): boolean {
  const owner = ownerOf(lab);
  return owner !== undefined && !isAlive(owner);
}

function existing(namespaces: readonly string[]): string[] {
  const present = new Set(listNamespaces().map(({ namespace }) => namespace));
  return namespaces.filter((each) => parseNamespace(each) !== undefined && present.has(each));
}

function deletions(namespaces: readonly string[]): string {
  return namespaces.map((each) => `netns del ${each}\n`).join('');
}
