// What became of the trailers of one batch of frames: the monitor has handled all of them before the next consumer of the
// device sees the first.
import type { BeatView } from '@rfsis/heartbeat';

/** Trailers of one batch that are remembered. */
const HANDLED_MAX = 64;

/** At the limit of 64 the first of the batch are forgotten. Nothing is allocated. */
export class HandledTrailers {
  /** Session in two halves, and sequence. */
  readonly #high = new Uint32Array(HANDLED_MAX);
  readonly #low = new Uint32Array(HANDLED_MAX);
  readonly #sequence = new Float64Array(HANDLED_MAX);
  readonly #trusted = new Uint8Array(HANDLED_MAX);
  #added = 0;

  /** A new batch begins. */
  clear(): void {
    this.#added = 0;
  }

  /** A trailer is being handled; it is not trusted, yet. */
  add(view: BeatView): void {
    const index = this.#added++ % HANDLED_MAX;
    this.#high[index] = view.sessionHigh;
    this.#low[index] = view.sessionLow;
    this.#sequence[index] = view.sequence;
    this.#trusted[index] = 0;
  }

  /** The trailer added last is an authentic word of the peer. */
  trustLast(): void {
    this.#trusted[(this.#added - 1) % HANDLED_MAX] = 1;
  }

  /** Whether a trailer of these numbers was trusted; undefined when none of this batch has them. */
  isTrusted(view: BeatView): boolean | undefined {
    const { sessionHigh, sessionLow, sequence } = view;
    let found: boolean | undefined;
    const count = Math.min(this.#added, HANDLED_MAX);
    for (let index = 0; index < count; index++) {
      const isSame =
        this.#sequence[index] === sequence &&
        this.#low[index] === sessionLow &&
        this.#high[index] === sessionHigh;
      if (isSame) found = found === true || this.#trusted[index] === 1;
    }
    return found;
  }
}
