// A clock whose callbacks stop, as those of a process that is stopped or busy: time passes, nothing runs.
import type { Clock, Timer, VirtualClock } from '@rfsis/link';

/** Callbacks that fall due while frozen run at {@link FreezableClock.thaw}, in the order of their due times. */
export class FreezableClock implements Clock {
  readonly #inner: VirtualClock;
  readonly #overdue: (() => void)[] = [];
  #isFrozen = false;
  /** Subtracted from every delay: timers of an event loop may fire early. */
  earlyMs = 0;
  /** A share of every delay that is waited for. */
  share = 1;

  constructor(inner: VirtualClock) {
    this.#inner = inner;
  }

  now(): number {
    return this.#inner.now();
  }

  wallTime(): number {
    return this.#inner.wallTime();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#guarded(callback, (run) => this.#inner.setTimer(delayMs * this.share - this.earlyMs, run));
  }

  defer(callback: () => void): Timer {
    return this.#guarded(callback, (run) => this.#inner.defer(run));
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const callback of this.#overdue.splice(0)) callback();
  }

  #guarded(callback: () => void, schedule: (run: () => void) => Timer): Timer {
    let isCancelled = false;
    const once = () => {
      if (!isCancelled) callback();
    };
    const timer = schedule(() => {
      if (this.#isFrozen) this.#overdue.push(once);
      else once();
    });
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }
}
