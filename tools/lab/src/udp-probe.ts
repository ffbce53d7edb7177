// The typed side of clients/udp_prober.py: a kernel client that sends a datagram each millisecond and checks each echo.
import { LabError } from './errors.js';
import type { LabHost } from './lab-host.js';
import type { LabEvent, LabProcess } from './lab-process.js';
import { clientFile } from './workspace.js';

/** Options of {@link startUdpProbe}. */
export interface UdpProbeOptions {
  /** IPv4 address of the service. */
  readonly address: string;
  readonly port: number;
  /** Time between two datagrams; default 1. */
  readonly intervalMs?: number;
  /** How long to send; default until {@link UdpProbe.stop}. */
  readonly durationMs?: number;
  /** How long to wait for late echoes at the end; default 200. */
  readonly lingerMs?: number;
  /** Smallest payload in octets, at least 24; default 32. */
  readonly minSize?: number;
  /** Largest payload in octets, at most 65,507; default 512. */
  readonly maxSize?: number;
  /** After this time without an echo the service counts as silent for {@link UdpProbe.silent}; default 10 intervals. */
  readonly silenceMs?: number;
  /** Of payloads and sizes; default 1. */
  readonly seed?: number;
  /** Default: chosen by the kernel. */
  readonly sourcePort?: number;
  /** Lets the prober run before all other programs, for exact timing on a busy machine. Default false. */
  readonly realtime?: boolean;
}

/** A time without service, in send times: what was sent in between was never answered. */
export interface UdpGap {
  /** When the last answered datagram before it was sent (or the first one of all), from the start of sending. */
  readonly startMs: number;
  /** Until the next answered datagram was sent. */
  readonly ms: number;
  /** Datagrams in between. */
  readonly unanswered: number;
  /** Whether it lasted until sending ended. */
  readonly open: boolean;
}

/** What the prober found. Times count from the start of sending. */
export interface UdpReport {
  /** The start of sending on the clock of `monotonicMs`. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** Datagrams that the kernel took. */
  readonly sent: number;
  /** Datagrams that the kernel refused (no route, no neighbour). */
  readonly unsent: number;
  /** Datagrams of which an echo came back, right in every bit. */
  readonly answered: number;
  /** `sent` less `answered`. */
  readonly lost: number;
  /** Right echoes beyond the first. */
  readonly duplicated: number;
  /** Answers that are no echo of anything sent: wrong in a bit or in length. */
  readonly corrupted: number;
  /** Echoes for an earlier run of the prober. */
  readonly stray: number;
  /** First echoes that came after one of a later datagram. */
  readonly reordered: number;
  /** Errors of the socket by name, such as ECONNREFUSED (ICMP port unreachable). */
  readonly errors: Readonly<Record<string, number>>;
  readonly firstAnswerMs: number | undefined;
  readonly lastAnswerMs: number | undefined;
  readonly gapCount: number;
  /** 0 when every datagram was answered. */
  readonly longestGapMs: number;
  /** In order; of more than 1000 the longest. */
  readonly gaps: readonly UdpGap[];
  /** The longest time between the arrivals of two echoes, and when it began. */
  readonly longestSilenceMs: number;
  readonly longestSilenceStartMs: number | undefined;
  /** Undefined when nothing was answered. */
  readonly roundTripMs: { min: number; p50: number; p90: number; p99: number; max: number } | undefined;
  /** How well the prober itself kept time: when it is late, gaps are overstated by as much. */
  readonly sender: { readonly skipped: number; readonly maxLateMs: number };
}

const READY_TIMEOUT_MS = 15_000;
const REPORT_TIMEOUT_MS = 30_000;

/** A running prober. */
export class UdpProbe {
  /** The prober itself; ends with the report. */
  readonly process: LabProcess;
  /** The report at the end of `durationMs` or after {@link UdpProbe.stop}. */
  readonly report: Promise<UdpReport>;

  /** @internal Use {@link startUdpProbe}. */
  constructor(prober: LabProcess, durationMs: number | undefined) {
    this.process = prober;
    this.report = this.#report(durationMs);
    // Whoever stops the probe gets the error; nobody needs to listen before.
    this.report.catch(() => undefined);
  }

  /** Ends the sending, waits for late echoes and returns the report. */
  async stop(): Promise<UdpReport> {
    this.process.signal('SIGTERM');
    return this.report;
  }

  /** Waits for the first echo. */
  async answered(timeoutMs?: number): Promise<LabEvent> {
    return this.process.waitForEvent({ event: 'first' }, timeoutMs);
  }

  /** Waits for the service to fall silent, after line `after` of the prober's output. */
  async silent(timeoutMs?: number, after?: number): Promise<LabEvent> {
    return this.process.waitForEvent({ event: 'silent' }, timeoutMs, after);
  }

  /** Waits for an echo after a silence; `fields.silentMs` tells how long that was. */
  async answeredAgain(timeoutMs?: number, after?: number): Promise<LabEvent> {
    return this.process.waitForEvent({ event: 'answered' }, timeoutMs, after);
  }

  async #report(durationMs: number | undefined): Promise<UdpReport> {
    // Without a duration it takes as long as the caller likes; the process ends with the lab.
    const limit = durationMs === undefined ? NO_LIMIT_MS : durationMs + REPORT_TIMEOUT_MS;
    const event = await this.process.waitForEvent({ event: 'report' }, limit);
    return readUdpReport(event.fields);
  }
}

/** The longest delay that Node's timers can hold. */
const NO_LIMIT_MS = 0x7fff_ffff;

/** Starts the prober in the namespace of `host`; it sends when this returns. */
export async function startUdpProbe(host: LabHost, options: UdpProbeOptions): Promise<UdpProbe> {
  const settings: Record<string, number | undefined> = {
    'interval-ms': options.intervalMs,
    'duration-ms': options.durationMs,
    'linger-ms': options.lingerMs,
    'min-size': options.minSize,
    'max-size': options.maxSize,
    'silence-ms': options.silenceMs,
    seed: options.seed,
    'source-port': options.sourcePort,
  };
  const prober = host.spawn([
    ...['python3', clientFile('udp_prober.py'), options.address, String(options.port), '--progress'],
    ...Object.entries(settings).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, String(value)],
    ),
    ...(options.realtime === true ? ['--realtime'] : []),
  ]);
  await prober.waitForEvent({ event: 'ready' }, READY_TIMEOUT_MS);
  return new UdpProbe(prober, options.durationMs);
}

/** Sends for a fixed time and returns the report. */
export async function probeUdp(
  host: LabHost,
  options: UdpProbeOptions & { readonly durationMs: number },
): Promise<UdpReport> {
  return (await startUdpProbe(host, options)).report;
}

/**
 * Checks the report of the prober.
 * @throws {LabError} `RFSIS_LAB_OUTPUT_INVALID` naming the field
 */
export function readUdpReport(fields: Readonly<Record<string, unknown>>): UdpReport {
  const sender = record(fields, 'sender');
  const trips = record(fields, 'roundTripMs');
  const gaps = fields['gaps'];
  if (!Array.isArray(gaps)) throw invalid('gaps', 'a list');
  return {
    startedAtMs: number(fields, 'startedAtMs'),
    durationMs: number(fields, 'durationMs'),
    sent: number(fields, 'sent'),
    unsent: number(fields, 'unsent'),
    answered: number(fields, 'answered'),
    lost: number(fields, 'lost'),
    duplicated: number(fields, 'duplicated'),
    corrupted: number(fields, 'corrupted'),
    stray: number(fields, 'stray'),
    reordered: number(fields, 'reordered'),
    errors: counts(record(fields, 'errors')),
    firstAnswerMs: optionalNumber(fields, 'firstAnswerMs'),
    lastAnswerMs: optionalNumber(fields, 'lastAnswerMs'),
    gapCount: number(fields, 'gapCount'),
    longestGapMs: number(fields, 'longestGapMs'),
    gaps: gaps.map(readGap),
    longestSilenceMs: number(fields, 'longestSilenceMs'),
    longestSilenceStartMs: optionalNumber(fields, 'longestSilenceStartMs'),
    roundTripMs:
      trips['min'] === null
        ? undefined
        : {
            min: number(trips, 'min'),
            p50: number(trips, 'p50'),
            p90: number(trips, 'p90'),
            p99: number(trips, 'p99'),
            max: number(trips, 'max'),
          },
    sender: { skipped: number(sender, 'skipped'), maxLateMs: number(sender, 'maxLateMs') },
  };
}

function readGap(gap: unknown): UdpGap {
  if (!isRecord(gap)) throw invalid('gaps', 'a list of objects');
  return {
    startMs: number(gap, 'startMs'),
    ms: number(gap, 'ms'),
    unanswered: number(gap, 'unanswered'),
    open: gap['open'] === true,
  };
}

function counts(fields: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(Object.keys(fields).map((name) => [name, number(fields, name)]));
}

function number(fields: Readonly<Record<string, unknown>>, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number') throw invalid(name, 'a number');
  return value;
}

function optionalNumber(fields: Readonly<Record<string, unknown>>, name: string): number | undefined {
  return fields[name] === null ? undefined : number(fields, name);
}

function record(fields: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  const value = fields[name];
  if (!isRecord(value)) throw invalid(name, 'an object');
  return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(name: string, expected: string): LabError {
  return new LabError(
    'RFSIS_LAB_OUTPUT_INVALID',
    `the prober's report is damaged: ${name} should be ${expected}`,
  );
}
