// Simulated time: nothing happens until somebody moves the clock, and then in an order that never varies.
import type { Clock, Timer } from './clock.js';

interface Event extends Timer {
  readonly dueMs: number;
  /** Breaks ties: first scheduled, first run. */
  readonly order: number;
  callback: (() => void) | undefined;
}

/**
 * A clock under the control of a test or simulator. Events run in the order of their due time, then of their creation.
 * Deferred callbacks run before any later event, at the same instant.
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #wallOriginMs: number;
  /** A binary heap, earliest first. */
  readonly #heap: Event[] = [];

  /** @param wallOriginMs what {@link VirtualClock.wallTime} says at time zero */
  constructor(wallOriginMs = 0) {
    this.#nowMs = 0;
    this.#wallOriginMs = wallOriginMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wallTime(): number {
    return this.#wallOriginMs + this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#schedule(this.#nowMs + Math.max(0, delayMs), callback);
  }

  defer(callback: () => void): Timer {
    return this.#schedule(this.#nowMs, callback);
  }

  /** The number of callbacks that are waiting; cancelled ones are not counted. */
  get pending(): number {
    return this.#heap.reduce((count, event) => (event.callback === undefined ? count : count + 1), 0);
  }

  /** When the next callback is due, in the time of {@link VirtualClock.now}; undefined when none is waiting. */
  get nextDueMs(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.dueMs;
  }

  /** Moves time forward by `durationMs`, running everything that falls due. Promises do not settle in between. */
  advance(durationMs: number): void {
    const untilMs = this.#nowMs + durationMs;
    while (this.#runNext(untilMs));
    this.#nowMs = untilMs;
  }

  /**
   * Like {@link VirtualClock.advance}, but lets promises, `process.nextTick` and streams settle after every callback,
   * as they would between the callbacks of a real event loop.
   */
  async advanceAsync(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    await settle();
    while (this.#runNext(untilMs)) await settle();
    this.#nowMs = untilMs;
  }

  /**
   * Advances until `condition` holds, at the most `limitMs`.
   * @returns whether it held in time
   */
  async advanceUntil(condition: () => boolean, limitMs: number): Promise<boolean> {
    const untilMs = this.#nowMs + limitMs;
    await settle();
    while (!condition()) {
      if (!this.#runNext(untilMs)) {
        this.#nowMs = untilMs;
        return condition();
      }
      await settle();
    }
    return true;
  }

  #runNext(untilMs: number): boolean {
    this.#dropCancelled();
    const event = this.#heap[0];
    if (event?.callback === undefined || event.dueMs > untilMs) return false;
    this.#pop();
    this.#nowMs = event.dueMs;
    const callback = event.callback;
    event.callback = undefined;
    callback();
    return true;
  }

  #schedule(dueMs: number, callback: () => void): Timer {
    const event: Event = {
      dueMs,
      order: this.#order++,
      callback,
      cancel() {
        this.callback = undefined;
      },
    };
    this.#push(event);
    return event;
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0]?.callback === undefined) this.#pop();
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as Event;
      if (!isBefore(event, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= heap.length) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && isBefore(right, heap[childIndex] as Event)) childIndex++;
      const child = heap[childIndex] as Event;
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

/** Waits until all microtasks and ticks that are ready now have run. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
