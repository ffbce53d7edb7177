// The clock of a real node: the event loop's timers and the monotonic clock of the operating system.
import type { Clock, Timer } from './clock.js';

/** The longest delay Node's timers take; a longer one would fire at once. */
const MAX_DELAY_MS = 0x7fff_ffff;

/**
 * Node's timers count whole milliseconds from a truncated start, and so may fire up to one millisecond early: what
 * fires before its time is set again.
 */
class SystemTimer implements Timer {
  readonly #dueMs: number;
  readonly #callback: () => void;
  #handle: NodeJS.Timeout;

  constructor(delayMs: number, callback: () => void) {
    this.#dueMs = performance.now() + (delayMs > 0 ? delayMs : 0);
    this.#callback = callback;
    this.#handle = this.#arm(delayMs);
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  #arm(delayMs: number): NodeJS.Timeout {
    return setTimeout(
      () => {
        const remainingMs = this.#dueMs - performance.now();
        if (remainingMs > 0) this.#handle = this.#arm(remainingMs);
        else this.#callback();
      },
      Math.min(MAX_DELAY_MS, Math.ceil(delayMs)),
    );
  }
}

class SystemImmediate implements Timer {
  readonly #handle: NodeJS.Immediate;
  constructor(handle: NodeJS.Immediate) {
    this.#handle = handle;
  }
  cancel(): void {
    clearImmediate(this.#handle);
  }
}

/** Real time. Pending timers keep the process alive. */
export class SystemClock implements Clock {
  /** What to add to {@link SystemClock.now} to get wall time with its fractions. */
  #wallOffsetMs = 0;

  now(): number {
    return performance.now();
  }

  /** Agrees with `Date.now()` to the millisecond, steps of the system clock included, and adds the fractions. */
  wallTime(): number {
    const wholeMs = Date.now();
    const nowMs = performance.now();
    const wallMs = nowMs + this.#wallOffsetMs;
    if (wallMs >= wholeMs && wallMs < wholeMs + 1) return wallMs;
    // Corrected by the least that puts it within the millisecond: no needless step back.
    const correctedMs = wallMs < wholeMs ? wholeMs : wholeMs + 0.999;
    this.#wallOffsetMs = correctedMs - nowMs;
    return correctedMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return new SystemTimer(delayMs, callback);
  }

  defer(callback: () => void): Timer {
    return new SystemImmediate(setImmediate(callback));
  }
}
