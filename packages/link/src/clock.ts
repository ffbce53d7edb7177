// Time as the rest of RFSIS sees it. Implementations: system-clock.ts (real) and virtual-clock.ts (simulated).

/** A pending call. */
export interface Timer {
  /** Makes sure that the callback is not called any more; harmless when it has been. */
  cancel(): void;
}

/** The only source of time outside `@rfsis/link`. */
export interface Clock {
  /** Monotonic time in milliseconds with fractions. The origin is arbitrary; it counts on while the process is stopped. */
  now(): number;
  /** Milliseconds since 1970-01-01T00:00Z, for logs and capture files only; it may jump. */
  wallTime(): number;
  /** Calls `callback` once, `delayMs` milliseconds from now or later, never within this call. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /**
   * Calls `callback` once, after the input that is waiting now has been handled: at the end of an event-loop turn.
   * Work that belongs to one turn as a whole (flushing, cutting a record, deciding on silence) goes here.
   */
  defer(callback: () => void): Timer;
}
