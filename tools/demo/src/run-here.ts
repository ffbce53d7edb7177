// A program in the foreground of this one: its output is ours, and the signals that end us end it first.
import { spawn } from 'node:child_process';

/**
 * Runs a program to its end and resolves with its exit code; 1 when a signal ended it.
 * @param onStart is told its process number
 */
export async function runHere(
  program: string,
  args: readonly string[],
  onStart: (pid: number) => void = () => undefined,
): Promise<number> {
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
  if (child.pid !== undefined) onStart(child.pid);
  const pass = (): void => {
    child.kill('SIGTERM');
  };
  process.on('SIGINT', pass);
  process.on('SIGTERM', pass);
  process.on('SIGHUP', pass);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => {
        resolve(code ?? 1);
      });
    });
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, pass);
  }
}
