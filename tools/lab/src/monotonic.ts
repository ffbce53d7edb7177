// Points in time that programs of one machine can compare: the kernel's monotonic clock, as Python and tcpdump see it.

/** CLOCK_MONOTONIC in milliseconds: the same value in every process of this machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * How far the wall clock is ahead of {@link monotonicMs}. Add it to a monotonic time to find the moment in a capture
 * file. Takes up to a millisecond: it waits for the wall clock to tick, so that the answer is exact to microseconds.
 */
export function wallClockOffsetMs(): number {
  const start = Date.now();
  let wall = start;
  let monotonic = monotonicMs();
  while (wall === start) {
    monotonic = monotonicMs();
    wall = Date.now();
  }
  return wall - monotonic;
}
