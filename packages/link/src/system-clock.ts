// The clock of a real node: the event loop's timers and the monotonic clock of the operating system.
import type { Clock, Timer } from './clock.js';

class SystemTimer implements Timer {
  readonly #handle: NodeJS.Timeout;
  constructor(handle: NodeJS.Timeout) {
    this.#handle = handle;
  }
  cancel(): void {
    clearTimeout(this.#handle);
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
  now(): number {
    return performance.now();
  }

  wallTime(): number {
    return Date.now();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return new SystemTimer(setTimeout(callback, delayMs));
  }

  defer(callback: () => void): Timer {
    return new SystemImmediate(setImmediate(callback));
  }
}
