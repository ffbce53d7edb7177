// A program that runs in a namespace of a lab: its output as events, its end, and signals to it.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { inNamespace, killGroup, oneLine, resolveProgram, shown } from './commands.js';
import { LabError } from './errors.js';
import { monotonicMs } from './monotonic.js';
import { signalProcess, threadStates } from './namespace-processes.js';
import { OutputLines, type NoLine, type OutputLimits, type OutputLine } from './output-lines.js';
import { labEnvironment } from './requirements.js';

/** How a program ended. */
export interface ProcessEnd {
  /** Exit code; undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly atMs: number;
}

/** One JSON object that a program printed on a line of its own, as pino does. */
export interface LabEvent {
  /** The number of its line; pass `number + 1` as `after` to wait for a later one. */
  readonly number: number;
  readonly atMs: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Fields and the values they must have, or a decision on the fields. */
export type EventMatch =
  | Readonly<Record<string, string | number | boolean | null>>
  | ((fields: Readonly<Record<string, unknown>>) => boolean);

/** Options of `LabHost.spawn`. */
export interface SpawnOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly output?: OutputLimits;
}

const DEFAULT_WAIT_MS = 5_000;

/** A running program. It ends with the lab at the latest. */
export class LabProcess {
  /** The program's own process id, not that of a wrapper. */
  readonly pid: number;
  readonly command: readonly string[];
  /** Standard output. */
  readonly output: OutputLines;
  /** Standard error. */
  readonly errors: OutputLines;
  /** Resolves when the program has ended and all it printed has arrived. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcessWithoutNullStreams;
  #end: ProcessEnd | undefined;

  /** @internal Use `LabHost.spawn`. */
  constructor(namespace: string, command: readonly string[], options: SpawnOptions = {}) {
    const [program = '', ...args] = resolveProgram(inNamespace(namespace, command));
    this.command = command;
    this.output = new OutputLines(options.output);
    this.errors = new OutputLines(options.output);
    this.#child = spawn(program, args, {
      detached: true,
      stdio: 'pipe',
      env: labEnvironment(options.env),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    this.#child.stdin.on('error', () => undefined);
    for (const [stream, lines] of [
      [this.#child.stdout, this.output],
      [this.#child.stderr, this.errors],
    ] as const) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        lines.push(text);
      });
    }
    this.pid = this.#child.pid ?? -1;
    this.ended = this.#watch();
  }

  /** How the program ended; undefined while it runs. */
  get end(): ProcessEnd | undefined {
    return this.#end;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.pid > 0;
  }

  /** The number of the next line: wait `after` it for something that has not happened yet. */
  mark(): number {
    return this.output.count;
  }

  /**
   * Waits for a line on standard output; lines that came before the call count, from number `after` on.
   * @throws {LabError} `RFSIS_LAB_TIMEOUT`, `RFSIS_LAB_PROCESS_ENDED`
   */
  async waitForLine(
    wanted: string | RegExp | ((text: string) => boolean),
    timeoutMs = DEFAULT_WAIT_MS,
    after = 0,
  ): Promise<OutputLine> {
    const accept = lineTest(wanted);
    const line = await this.output.waitFor(({ text }) => accept(text), timeoutMs, after);
    if (typeof line === 'string') throw this.#noLine(line, String(wanted), timeoutMs);
    return line;
  }

  /**
   * Waits for a line that is a JSON object with the given fields, such as `{ event: 'ready' }`.
   * @throws {LabError} `RFSIS_LAB_TIMEOUT`, `RFSIS_LAB_PROCESS_ENDED`
   */
  async waitForEvent(match: EventMatch, timeoutMs = DEFAULT_WAIT_MS, after = 0): Promise<LabEvent> {
    const line = await this.output.waitFor((each) => matches(parseEvent(each), match), timeoutMs, after);
    const event = typeof line === 'string' ? undefined : parseEvent(line);
    if (event !== undefined) return event;
    const wanted = typeof match === 'function' ? 'an event' : JSON.stringify(match);
    throw this.#noLine(line as NoLine, wanted, timeoutMs);
  }

  /** The events printed so far, from line number `after` on; all of them, or those that match. */
  events(match: EventMatch = {}, after = 0): LabEvent[] {
    return this.output.kept
      .filter(({ number }) => number >= after)
      .map(parseEvent)
      .filter((event) => event !== undefined)
      .filter((event) => matches(event, match));
  }

  /** Writes to standard input. */
  write(text: string | Uint8Array): void {
    this.#child.stdin.write(text);
  }

  /** Closes standard input. */
  endInput(): void {
    this.#child.stdin.end();
  }

  /**
   * Sends a signal to the program alone, at once.
   * @returns false when it has ended already
   */
  signal(signal: NodeJS.Signals): boolean {
    return this.running && signalProcess(this.pid, signal);
  }

  /** Kills the program (kill -9) and waits for its end. */
  async kill(): Promise<ProcessEnd> {
    this.signal('SIGKILL');
    return this.ended;
  }

  /** Stops the program where it is (SIGSTOP); returns when no thread of it runs any more. */
  async freeze(timeoutMs = DEFAULT_WAIT_MS): Promise<void> {
    this.#mustRun();
    this.signal('SIGSTOP');
    await this.#states((state) => state === 'T', timeoutMs);
  }

  /** Lets a frozen program go on (SIGCONT). */
  async thaw(timeoutMs = DEFAULT_WAIT_MS): Promise<void> {
    this.#mustRun();
    this.signal('SIGCONT');
    await this.#states((state) => state !== 'T', timeoutMs);
  }

  /** Asks the program to end, SIGTERM by default; kills it when it has not ended in time. */
  async stop(timeoutMs = DEFAULT_WAIT_MS, signal: NodeJS.Signals = 'SIGTERM'): Promise<ProcessEnd> {
    this.signal(signal);
    const timer = setTimeout(() => {
      this.killAll();
    }, timeoutMs);
    try {
      return await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Kills the program and all it has started that is still in its process group. */
  killAll(): void {
    killGroup(this.#child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.killAll();
    await this.ended;
  }

  async #watch(): Promise<ProcessEnd> {
    return new Promise((resolve) => {
      const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
        if (this.#end !== undefined) return;
        this.#end = { code: code ?? undefined, signal: signal ?? undefined, atMs: monotonicMs() };
        this.output.end();
        this.errors.end();
        resolve(this.#end);
      };
      this.#child.once('error', (error) => {
        this.errors.push(`${error.message}\n`);
        finish(127, null);
      });
      this.#child.once('close', finish);
      // A child of the program that was left behind may hold its output open.
      this.#child.once('exit', (code, signal) => {
        setTimeout(() => {
          finish(code, signal);
        }, OUTPUT_GRACE_MS).unref();
      });
    });
  }

  #mustRun(): void {
    if (!this.running) throw this.#noLine('ended', 'it was to be frozen or thawed', 0);
  }

  /** The kernel stops a process soon after the signal, and tells nobody: look until it has. */
  async #states(accept: (state: string) => boolean, timeoutMs: number): Promise<void> {
    const deadline = monotonicMs() + timeoutMs;
    for (;;) {
      const states = threadStates(this.pid);
      if (states.length > 0 && states.every(accept)) return;
      if (!this.running) throw this.#noLine('ended', 'its state changed', timeoutMs);
      if (monotonicMs() > deadline) throw this.#noLine('timeout', 'change of its state', timeoutMs);
      await delay(1);
    }
  }

  #noLine(why: NoLine, wanted: string, timeoutMs: number): LabError {
    const name = shown(this.command);
    const said = oneLine(this.errors.tail(10)) || oneLine(this.output.tail(5)) || 'nothing';
    if (why === 'timeout') {
      return new LabError(
        'RFSIS_LAB_TIMEOUT',
        `"${name}": no ${wanted} within ${timeoutMs} ms; its last words: ${said}`,
      );
    }
    const how = this.#end?.signal ?? `exit code ${this.#end?.code ?? 'unknown'}`;
    return new LabError(
      'RFSIS_LAB_PROCESS_ENDED',
      `"${name}" ended (${how}) before ${wanted}; its last words: ${said}`,
    );
  }
}

/** How long the output of a program that has ended may take to arrive. */
const OUTPUT_GRACE_MS = 2_000;

function lineTest(wanted: string | RegExp | ((text: string) => boolean)): (text: string) => boolean {
  if (typeof wanted === 'function') return wanted;
  return typeof wanted === 'string' ? (text) => text.includes(wanted) : (text) => wanted.test(text);
}

function parseEvent(line: OutputLine): LabEvent | undefined {
  if (!line.text.startsWith('{')) return undefined;
  try {
    const fields = JSON.parse(line.text) as Record<string, unknown>;
    return { number: line.number, atMs: line.atMs, fields };
  } catch {
    return undefined;
  }
}

function matches(event: LabEvent | undefined, match: EventMatch): boolean {
  if (event === undefined) return false;
  if (typeof match === 'function') return match(event.fields);
  return Object.entries(match).every(([key, value]) => event.fields[key] === value);
}
