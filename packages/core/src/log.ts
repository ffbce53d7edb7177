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
    options.destination ?? standardOutput(clock),
  );
}

/** Log text kept while standard output is blocked, in octets; at the limit new lines are dropped. */
const BACKLOG_OCTETS = 1024 * 1024;

/** How long the last lines may take when the process ends, in milliseconds. */
const LAST_LINES_MS = 500;

/** A destination that can be emptied before the process ends. */
export interface LogOutput extends DestinationStream {
  /** Writes what is left as far as that is possible in half a second. Nothing is written after this call. */
  finish(): Promise<void>;
}

/**
 * Standard output, written in the background: a reader that hangs must not freeze a node that serves, and one that is
 * gone or a disk that is full must not end it.
 */
export function standardOutput(clock: Clock): LogOutput {
  const output = pino.destination({ dest: 1, sync: false, minLength: 0, maxLength: BACKLOG_OCTETS });
  let isBroken = false;
  let isFinished = false;
  // pino flushes when the process ends, and tries for ever what cannot be written.
  const giveUp = (): void => {
    output.flushSync = () => undefined;
  };
  output.on('error', () => {
    isBroken = true;
    giveUp();
  });
  return {
    write: (line) => {
      if (!isFinished) output.write(line);
    },
    finish: () =>
      new Promise((resolve) => {
        if (isFinished || isBroken) {
          resolve();
          return;
        }
        isFinished = true;
        const done = (): void => {
          giveUp();
          timer.cancel();
          resolve();
        };
        const timer = clock.setTimer(LAST_LINES_MS, done);
        output.once('close', done).once('error', done);
        output.end();
      }),
  };
}
