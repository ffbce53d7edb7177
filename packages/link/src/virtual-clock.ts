// Simulated time: nothing happens until somebody moves the clock, and then in an order that never varies.
import type { Clock, Timer } from './clock.js';

/** Fewer cancelled events than this are left for their time to come. */
const COMPACT_EVENTS = 64;

class Event implements Timer {
  readonly dueMs: number;
  /** Breaks ties: first scheduled, first run. */
  readonly order: number;
  callback: (() => void) | undefined;
  readonly #onCancel: () => void;

  constructor(dueMs: number, order: number, callback: () => void, onCancel: () => void) {
    this.dueMs = dueMs;
    this.order = order;
    this.callback = callback;
    this.#onCancel = onCancel;
  }

  cancel(): void {
    if (this.callback === undefined) return;
    this.callback = undefined;
    this.#onCancel();
  }
}

/**
 * A nanosecond. What is left of a time after subtracting can be so little that adding it changes nothing; a timer for
 * the rest of it would then be due at once, again and again.
 */
const LEAST_DELAY_MS = 1e-6;

/**
 * A clock under the control of a test or simulator. Events run in the order of their due time, then of their creation.
 * Deferred callbacks run before any later event, at the same instant.
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #wallOriginMs: number;
  /** A binary heap, earliest first. */
  #heap: Event[] = [];
  /** Events in the heap that will not run. */
  #cancelled = 0;
  readonly #onCancel = (): void => {
    this.#cancelled++;
    // Timers that are set anew again and again (retransmission, keep-alive) must not fill the heap.
    if (this.#cancelled > COMPACT_EVENTS && this.#cancelled * 2 > this.#heap.length) this.#compact();
  };

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

  /** @throws {RangeError} when `delayMs` is not a number */
  setTimer(delayMs: number, callback: () => void): Timer {
    if (Number.isNaN(delayMs)) throw new RangeError('the delay of a timer is NaN: expected milliseconds');
    const delay = delayMs > 0 ? Math.max(delayMs, LEAST_DELAY_MS) : 0;
    return this.#schedule(this.#nowMs + delay, callback);
  }

  defer(callback: () => void): Timer {
    return this.#schedule(this.#nowMs, callback);
  }

  /** The number of callbacks that are waiting; cancelled ones are not counted. */
  get pending(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** When the next callback is due, in the time of {@link VirtualClock.now}; undefined when none is waiting. */
  get nextDueMs(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.dueMs;
  }

  /**
   * Moves time forward by `durationMs`, running everything that falls due. Promises do not settle in between.
   * @throws {RangeError} when `durationMs` is negative or not finite, here and in the other ways to advance
   */
  advance(durationMs: number): void {
    const untilMs = this.#deadline(durationMs);
    while (this.#runNext(untilMs));
    this.#nowMs = untilMs;
  }

  /**
   * Like {@link VirtualClock.advance}, but every callback gets an event-loop turn of its own: `process.nextTick`, promises
   * and streams settle in between, in the order in which they would on a real clock.
   */
  async advanceAsync(durationMs: number): Promise<void> {
    await this.#runTurns(this.#deadline(durationMs), () => false);
  }

  /**
   * Advances until `condition` holds, at the most `limitMs`.
   * @returns whether it held in time
   */
  async advanceUntil(condition: () => boolean, limitMs: number): Promise<boolean> {
    return this.#runTurns(this.#deadline(limitMs), condition);
  }

  /** Runs events until `untilMs`, or until `condition` holds; it is looked at when everything before has settled. */
  #runTurns(untilMs: number, condition: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          if (condition()) {
            resolve(true);
          } else if (this.#runNext(untilMs)) {
            setImmediate(turn);
          } else {
            this.#nowMs = untilMs;
            resolve(condition());
          }
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      setImmediate(turn);
    });
  }

  #deadline(durationMs: number): number {
    if (!Number.isFinite(durationMs) || durationMs < 0) {
      throw new RangeError(`time cannot advance by ${durationMs} ms`);
    }
    return this.#nowMs + durationMs;
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
    const event = new Event(dueMs, this.#order++, callback, this.#onCancel);
    this.#push(event);
    return event;
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0]?.callback === undefined) {
      this.#pop();
      this.#cancelled--;
    }
  }

  #compact(): void {
    // A sorted array is a heap.
    this.#heap = this.#heap
      .filter((event) => event.callback !== undefined)
      .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order);
    this.#cancelled = 0;
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
