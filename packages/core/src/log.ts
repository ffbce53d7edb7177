// Logs: pino, one JSON object a line on standard output. Every line carries `event`; levels and events are in README.md.
import type { Clock } from '@rfsis/link';
import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  /** pino's level names. */
  readonly level: string;
  /** Gives the time stamps, so that a simulated node writes simulated times. */
  readonly clock: Clock;
  /** Default: {@link standardOutput}. */
  readonly destination?: DestinationStream;
  /** Fields of every line, for example the node's name. */
  readonly base?: Record<string, unknown>;
}

/** Makes the logger of a node. */
export function createLogger(options: LoggerOptions): Logger {
  const { clock } = options;
  return pino(
    {
      level: options.level,
      base: options.base ?? null,
      messageKey: 'message',
      timestamp: () => `,"time":${clock.wallTime()}`,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination ?? standardOutput(),
  );
}

/** Log text kept while standard output is blocked, in octets; at the limit new lines are dropped. */
const BACKLOG_OCTETS = 1024 * 1024;

/** Standard output, written in the background: a reader that hangs must not freeze a node that serves. */
export function standardOutput(): DestinationStream & { flushSync(): void } {
  return pino.destination({ dest: 1, sync: false, minLength: 0, maxLength: BACKLOG_OCTETS });
}
