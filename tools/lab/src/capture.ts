// Captures frames to a file with tcpdump: begins when it says so, ends with nothing missing.
import { setTimeout as delay } from 'node:timers/promises';
import { LabError } from './errors.js';
import { BRIDGE } from './names.js';
import { monotonicMs } from './monotonic.js';
import { LabProcess } from './lab-process.js';

/** Options of `Lab.capture`. */
export interface CaptureOptions {
  /** What to keep, in tcpdump's language, such as `arp or udp port 7`; default everything. */
  readonly filter?: string;
}

/** What tcpdump said at its end. */
export interface CaptureSummary {
  readonly file: string;
  readonly frames: number;
  /** Frames the kernel dropped because tcpdump was too slow; 0 or the capture is incomplete. */
  readonly dropped: number;
}

const READY_TIMEOUT_MS = 10_000;
const CATCH_UP_TIMEOUT_MS = 5_000;
const STOP_TIMEOUT_MS = 10_000;
/** libpcap divides its buffer into slots that each hold the longest frame; so many frames may wait for tcpdump. */
const KERNEL_BUFFER_FRAMES = 8_192;
const MAX_KERNEL_BUFFER_KIB = 131_072;

interface Statistics {
  readonly captured: number;
  readonly received: number;
}

/** A running capture. */
export class Capture {
  readonly file: string;
  readonly pid: number;
  /** Resolves when tcpdump has ended. */
  readonly ended: Promise<unknown>;
  readonly #tcpdump: LabProcess;
  #stopping: Promise<CaptureSummary> | undefined;

  private constructor(file: string, tcpdump: LabProcess) {
    this.file = file;
    this.#tcpdump = tcpdump;
    this.pid = tcpdump.pid;
    this.ended = tcpdump.ended;
  }

  /**
   * Begins a capture; from the moment it is returned no frame is missed.
   * @internal Use `Lab.capture`.
   */
  static async start(
    namespace: string,
    device: string,
    file: string,
    options: CaptureOptions & { readonly maxFrameOctets: number },
    onStart: (capture: Capture) => void,
  ): Promise<Capture> {
    const { maxFrameOctets, filter } = options;
    const bufferKib = Math.min(
      MAX_KERNEL_BUFFER_KIB,
      Math.ceil((KERNEL_BUFFER_FRAMES * maxFrameOctets) / 1024),
    );
    const tcpdump = new LabProcess(namespace, [
      ...['tcpdump', '-n', '-i', device, '-s', String(maxFrameOctets), '-B', String(bufferKib)],
      // Written and handed over frame by frame; as root, because the folder belongs to root.
      ...['-U', '--immediate-mode', '-Z', 'root', '-w', file],
      ...(filter === undefined ? [] : [filter]),
    ]);
    const capture = new Capture(file, tcpdump);
    onStart(capture);
    const line = await tcpdump.errors.waitFor(({ text }) => text.includes('listening on'), READY_TIMEOUT_MS);
    if (typeof line === 'string') {
      tcpdump.killAll();
      throw new LabError('RFSIS_LAB_COMMAND_FAILED', `tcpdump does not capture: ${tcpdump.errors.tail(3)}`);
    }
    return capture;
  }

  /** The device to capture on, to see all that passes the switch. @internal */
  static readonly switchDevice = BRIDGE;

  /** Ends the capture after everything that arrived before this call is in the file. May be called twice. */
  async stop(): Promise<CaptureSummary> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<CaptureSummary> {
    await this.#catchUp();
    await this.#tcpdump.stop(STOP_TIMEOUT_MS, 'SIGINT');
    const said = this.#tcpdump.errors.tail(20);
    const frames = lastNumber(said, /(\d+) packets? captured/g);
    const dropped = lastNumber(said, /(\d+) packets? dropped by kernel/g);
    if (frames === undefined) {
      throw new LabError('RFSIS_LAB_COMMAND_FAILED', `tcpdump ended without a summary, saying: ${said}`);
    }
    return { file: this.file, frames, dropped: dropped ?? 0 };
  }

  /** What waits in the kernel when tcpdump is told to end is lost; so wait until it has taken what was there. */
  async #catchUp(): Promise<void> {
    const deadline = monotonicMs() + CATCH_UP_TIMEOUT_MS;
    let statistics = await this.#statistics();
    const target = statistics?.received ?? 0;
    while (statistics !== undefined && statistics.captured < target && monotonicMs() < deadline) {
      await delay(2);
      statistics = await this.#statistics();
    }
  }

  async #statistics(): Promise<Statistics | undefined> {
    const mark = this.#tcpdump.errors.count;
    if (!this.#tcpdump.signal('SIGUSR1')) return undefined;
    const isReport = /(\d+) packets? captured, (\d+) packets? received/;
    const line = await this.#tcpdump.errors.waitFor(({ text }) => isReport.test(text), STOP_TIMEOUT_MS, mark);
    if (typeof line === 'string') return undefined;
    const [, captured, received] = isReport.exec(line.text) ?? [];
    return { captured: Number(captured), received: Number(received) };
  }
}

function lastNumber(text: string, pattern: RegExp): number | undefined {
  const value = [...text.matchAll(pattern)].at(-1)?.[1];
  return value === undefined ? undefined : Number(value);
}
