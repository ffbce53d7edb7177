// Runs programs to their end: each in a process group of its own, bounded in time and output, and never left behind.
import { spawn, type ChildProcess } from 'node:child_process';
import { SetupError } from './setup-error.js';

/** How a program went. */
export interface CommandResult {
  /** Exit code 0, within the time. */
  readonly ok: boolean;
  readonly stdout: string;
  /** Both streams in the order in which they came, and a last line when the program was killed or could not be started. */
  readonly output: string;
}

/** Where and how long a program runs. */
export interface CommandOptions {
  readonly cwd: string;
  readonly limitMs: number;
  /** Added to the environment of {@link commandEnvironment}. */
  readonly env?: NodeJS.ProcessEnv;
}

/** A program that prints more than this is killed. */
const MAX_OUTPUT_OCTETS = 16 * 1024 * 1024;

const LOOPBACK = '127.0.0.1';
/** A deadline that was never in the future. */
const STOPPED = -Infinity;
/** What `npm run` hands down and would change what an npm below it does; and an identity that must not be used here. */
const NOT_HANDED_DOWN =
  /^(?:npm_(?:package|lifecycle)_.*|npm_config_(?:local_prefix|workspaces?|include_workspace_root|provenance|noproxy|@.*)|INIT_CWD|NODE_ENV|ACTIONS_ID_TOKEN_REQUEST_.*|VITEST.*)$/i;

/**
 * The environment of a program: `base` without what a surrounding `npm run`, test runner or CI job put there, and with no
 * proxy for loopback.
 */
export function commandEnvironment(
  base: NodeJS.ProcessEnv,
  added: NodeJS.ProcessEnv = {},
): NodeJS.ProcessEnv {
  const kept = Object.entries(base).filter(([name]) => !NOT_HANDED_DOWN.test(name));
  const direct = [base['NO_PROXY'] ?? base['no_proxy'], LOOPBACK].filter(Boolean).join(',');
  return {
    ...Object.fromEntries(kept),
    NO_COLOR: '1',
    NO_PROXY: direct,
    no_proxy: direct,
    npm_config_update_notifier: 'false',
    ...added,
  };
}

/** Runs programs until it is disposed of, which ends those that still run. */
export class CommandRunner implements Disposable {
  readonly #running = new Set<ChildProcess>();
  #deadline: number;

  /** @param limitMs for all programs together; what still runs then is killed, and nothing else starts */
  constructor(limitMs: number) {
    this.#deadline = performance.now() + limitMs;
  }

  /**
   * Runs a program to its end. A program that fails, takes too long or cannot be started is not `ok`.
   * @throws {SetupError} when the runner was stopped, or its time is over
   */
  async run(program: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
    this.#requireTime();
    const limitMs = Math.min(options.limitMs, this.#deadline - performance.now());
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: commandEnvironment(process.env, options.env),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#running.add(child);
    const all: Buffer[] = [];
    const stdout: Buffer[] = [];
    let octets = 0;
    let ending: string | undefined;
    const end = (why: string): void => {
      ending ??= why;
      killGroup(child);
    };
    const take = (chunk: Buffer): void => {
      octets += chunk.length;
      if (octets <= MAX_OUTPUT_OCTETS) all.push(chunk);
      else end(`killed: it printed more than ${MAX_OUTPUT_OCTETS} octets`);
    };
    child.stdout.on('data', take).on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', take);
    const timer = setTimeout(end, limitMs, `killed: it did not end within ${Math.round(limitMs / 1000)} s`);
    const code = await new Promise<number | null>((resolve) => {
      child.once('error', (error) => {
        ending ??= error.message;
        resolve(null);
      });
      child.once('close', resolve);
    });
    clearTimeout(timer);
    this.#running.delete(child);
    this.#requireTime();
    const said = Buffer.concat(all).toString();
    return {
      ok: code === 0 && ending === undefined,
      stdout: Buffer.concat(stdout).toString(),
      output: ending === undefined ? said : `${said}\n${ending}`.trim(),
    };
  }

  /** Ends what runs; nothing starts any more. */
  stop(): void {
    this.#deadline = STOPPED;
    for (const child of this.#running) killGroup(child);
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #requireTime(): void {
    if (performance.now() < this.#deadline) return;
    throw new SetupError(
      this.#deadline === STOPPED ? 'stopped' : 'not done within the time for the whole check',
    );
  }
}

/** The end of what a program said, for a message. */
export function lastLines(output: string, count = 15): string {
  return output.trim().split('\n').slice(-count).join('\n');
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}
