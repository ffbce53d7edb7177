// One call of `resolve`: asks at its own pace until an answer, the verdict of the cache or its deadline.
import type { Clock, Timer } from '@rfsis/link';

/** The quickest pace a caller may ask for. */
const INTERVAL_MIN_MS = 10;

/** What a resolution works with. */
export interface ResolutionParts {
  readonly clock: Clock;
  readonly address: number;
  readonly fresh: boolean;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  /** Sends a request if one may be sent now. Returns when the next may follow; undefined when none ever may. */
  readonly ask: (resolution: Resolution) => number | undefined;
  /** Called once, with the 48-bit MAC address. */
  readonly done: (mac: number | undefined) => void;
}

export class Resolution {
  readonly address: number;
  /** Whether only a reply to us counts, given after the start. */
  readonly fresh: boolean;
  readonly intervalMs: number;
  /** Requests sent on this call's own account. */
  asked = 0;
  readonly #parts: ResolutionParts;
  #deadline: Timer | undefined;
  #retry: Timer | undefined;
  #finished = false;

  constructor(parts: ResolutionParts) {
    this.address = parts.address;
    this.fresh = parts.fresh;
    this.intervalMs = Math.max(INTERVAL_MIN_MS, parts.intervalMs);
    this.#parts = parts;
  }

  get finished(): boolean {
    return this.#finished;
  }

  start(): void {
    const { clock, timeoutMs } = this.#parts;
    this.#deadline = clock.setTimer(timeoutMs, () => {
      // After a stall of this process the timer comes before the answer that has long arrived: let it be read first.
      this.#deadline = clock.defer(() => {
        this.finish(undefined);
      });
    });
    this.#ask();
  }

  finish(mac: number | undefined): void {
    if (this.#finished) return;
    this.cancel();
    this.#parts.done(mac);
  }

  cancel(): void {
    this.#finished = true;
    this.#deadline?.cancel();
    this.#retry?.cancel();
  }

  #ask(): void {
    const nextMs = this.#parts.ask(this);
    if (nextMs === undefined || this.#finished) return;
    const delayMs = Math.max(0, nextMs - this.#parts.clock.now());
    this.#retry = this.#parts.clock.setTimer(delayMs, () => {
      this.#ask();
    });
  }
}
