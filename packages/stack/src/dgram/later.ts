// Callbacks of a socket, called in order after the present call has returned.
import type { Clock } from '@rfsis/link';

/** One pending call of the clock serves all callbacks of a turn. */
export class Later {
  readonly #clock: Clock;
  #tasks: (() => void)[] = [];
  #armed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `task` at the end of this turn of the event loop. */
  push(task: () => void): void {
    this.#tasks.push(task);
    this.#arm();
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#clock.defer(() => {
      this.#run();
    });
  }

  #run(): void {
    this.#armed = false;
    const tasks = this.#tasks;
    this.#tasks = [];
    let done = 0;
    try {
      while (done < tasks.length) tasks[done++]?.();
    } finally {
      // One of them threw: the others are called nevertheless.
      if (done < tasks.length) {
        this.#tasks = [...tasks.slice(done), ...this.#tasks];
        this.#arm();
      }
    }
  }
}
