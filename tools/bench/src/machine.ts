// The machine that the figures are from, and how busy it was: without that they mean little.
import { cpus, loadavg, release } from 'node:os';

/** What the figures depend on besides the software. */
export interface Machine {
  readonly processors: number;
  readonly kernel: string;
  readonly node: string;
  /** Programs that wanted to run, as an average of the minute before the first and before the last run's end. */
  readonly loadAverage: { readonly before: number; readonly after: number };
}

/** Begins to watch; call the result at the end. */
export function watchMachine(): () => Machine {
  const before = minuteLoad();
  return () => ({
    processors: cpus().length,
    kernel: release(),
    node: process.version,
    loadAverage: { before, after: minuteLoad() },
  });
}

/** Begins to measure which share of all processors is at work, 0 to 1; call the result at the end. */
export function watchProcessors(): () => number {
  const before = processorTimes();
  return () => {
    const after = processorTimes();
    const total = after.total - before.total;
    return total <= 0 ? 0 : Math.round((1 - (after.idle - before.idle) / total) * 100) / 100;
  };
}

function minuteLoad(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}

function processorTimes(): { idle: number; total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.idle + times.user + times.nice + times.sys + times.irq;
  }
  return { idle, total };
}
