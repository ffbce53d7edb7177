// Runs system programs to their end: bounded in time and output, never left behind.
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { LabError } from './errors.js';
import { findProgram, labEnvironment, PROGRAM_PACKAGES, type LabProgram } from './requirements.js';

/** How a command went. */
export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit code; -1 when a signal ended it. */
  readonly code: number;
}

/** Options of {@link runCommand}. */
export interface CommandOptions {
  /** The program and everything it started are killed after this time; default 10,000. */
  readonly timeoutMs?: number;
  /** Given on standard input, which is empty by default. */
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The program is killed when it prints more than this on either stream; default 64 MiB. */
  readonly maxOutputBytes?: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** Goes on only when the process that started it still lives, and then is replaced by the command that follows. */
const UNLESS_ORPHANED = 'test "$PPID" = "$1" || exit 1; shift; exec "$@"';

/**
 * The command line that runs `command` in a namespace, and ends it with the process that started it, however that
 * ends. All programs on the way there replace themselves by the next, so that the process that is started is the
 * command itself in the end, and its process id is the one that counts.
 */
export function inNamespace(namespace: string, command: readonly string[]): readonly string[] {
  return [
    ...['setpriv', '--pdeathsig', 'KILL', 'sh', '-c', UNLESS_ORPHANED, 'sh', String(process.pid)],
    ...resolveProgram(['ip', 'netns', 'exec', namespace]),
    ...resolveProgram(command),
  ];
}

/**
 * Runs a program to its end.
 * @throws {LabError} `RFSIS_LAB_TIMEOUT`; `RFSIS_LAB_COMMAND_FAILED` when it cannot be started or prints too much.
 *   A failing exit code is a result, not an error.
 */
export async function runCommand(
  command: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES } = options;
  const child = start(command, options);
  const stdout = gather(child, 'stdout', maxOutputBytes);
  const stderr = gather(child, 'stderr', maxOutputBytes);
  child.stdin.on('error', () => undefined); // A program may end without reading its input.
  child.stdin.end(options.input ?? '');
  const state = { timedOut: false };
  const timer = setTimeout(() => {
    state.timedOut = true;
    killGroup(child);
  }, timeoutMs);
  try {
    const code = await ended(child, command);
    if (state.timedOut) {
      throw new LabError(
        'RFSIS_LAB_TIMEOUT',
        `"${shown(command)}" did not end within ${timeoutMs} ms and was killed`,
      );
    }
    if (stdout.overflow || stderr.overflow) {
      throw new LabError(
        'RFSIS_LAB_COMMAND_FAILED',
        `"${shown(command)}" printed more than ${maxOutputBytes} octets and was killed`,
      );
    }
    return { stdout: stdout.text(), stderr: stderr.text(), code };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * {@link runCommand} for commands that must not fail.
 * @returns standard output
 * @throws {LabError} also `RFSIS_LAB_COMMAND_FAILED` when the exit code is not 0
 */
export async function mustRun(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await runCommand(command, options);
  if (result.code !== 0) throw commandFailed(command, result);
  return result.stdout;
}

/** The error for a command that ended with a failing exit code. */
export function commandFailed(command: readonly string[], result: CommandResult): LabError {
  const said = oneLine(result.stderr) || oneLine(result.stdout) || 'nothing';
  return new LabError(
    'RFSIS_LAB_COMMAND_FAILED',
    `"${shown(command)}" failed with exit code ${result.code}, saying: ${said}`,
  );
}

/** `node` becomes the program that runs this; other names that the lab needs itself are looked up in the system's folders. */
export function resolveProgram(command: readonly string[]): readonly string[] {
  const [program = '', ...rest] = command;
  if (program === 'node') return [process.execPath, ...rest];
  if (!(program in PROGRAM_PACKAGES)) return command;
  const file = findProgram(program);
  if (file === undefined) {
    throw new LabError(
      'RFSIS_LAB_UNAVAILABLE',
      `${program} not found: run apt-get install ${PROGRAM_PACKAGES[program as LabProgram]}`,
    );
  }
  return [file, ...rest];
}

/** Ends a program and everything in its process group. */
export function killGroup(child: Pick<ChildProcess, 'pid'>): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

/** A command for messages. */
export function shown(command: readonly string[]): string {
  return command.join(' ');
}

/** Text for messages: on one line and not too long. */
export function oneLine(text: string): string {
  const line = text.trim().replace(/\s*\n\s*/g, '; ');
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}

function start(command: readonly string[], options: CommandOptions): ChildProcessWithoutNullStreams {
  const [program = '', ...args] = resolveProgram(command);
  return spawn(program, args, {
    // A process group of its own, to end it with all it started.
    detached: true,
    stdio: 'pipe',
    env: labEnvironment(options.env),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
}

async function ended(child: ChildProcess, command: readonly string[]): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(
        new LabError('RFSIS_LAB_COMMAND_FAILED', `"${shown(command)}" cannot be started: ${cause.message}`, {
          cause,
        }),
      );
    });
    child.once('close', (code) => {
      resolve(code ?? -1);
    });
  });
}

interface Gathered {
  overflow: boolean;
  text: () => string;
}

function gather(child: ChildProcessWithoutNullStreams, stream: 'stdout' | 'stderr', limit: number): Gathered {
  const chunks: Buffer[] = [];
  let size = 0;
  const gathered: Gathered = { overflow: false, text: () => Buffer.concat(chunks).toString('utf8') };
  child[stream].on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limit) {
      chunks.push(chunk);
    } else {
      gathered.overflow = true;
      killGroup(child);
    }
  });
  return gathered;
}
