// How regularly the peer is heard, and how close the pair runs to a false alarm.
import { DurationStatistics, type DurationSummary } from '@rfsis/heartbeat';

/** What {@link ArrivalStatistics.snapshot} gives. */
export interface ArrivalSummary {
  /** Times between beats of a living peer; those that began or ended while this node was held up are left out. */
  readonly intervals: DurationSummary;
  /**
   * The least time that was left until the deadline when a beat came: how close it was to a false alarm. Negative when
   * the beat came after the deadline and just before the decision. Undefined before the second beat.
   */
  readonly marginMs: number | undefined;
  /** Beats that came while this node recovered from being held up; not in {@link ArrivalSummary.intervals}. */
  readonly excluded: number;
  /** Times this node itself was held up for longer than the limit while it watched a living peer. */
  readonly stalls: number;
  /** The longest of these. */
  readonly longestStallMs: number;
  /** Decisions put off because this node had no carrier. */
  readonly held: number;
}

/** Collects the figures of {@link ArrivalSummary}; allocates nothing per beat. */
export class ArrivalStatistics {
  readonly #intervals = new DurationStatistics();
  #marginMs = Number.POSITIVE_INFINITY;
  #excluded = 0;
  #stalls = 0;
  #longestStallMs = 0;
  #held = 0;

  /** A beat came `intervalMs` after the one before it, `marginMs` before the peer would have been given up. */
  arrival(intervalMs: number, marginMs: number): void {
    this.#intervals.record(intervalMs);
    if (marginMs < this.#marginMs) this.#marginMs = marginMs;
  }

  exclude(): void {
    this.#excluded++;
  }

  stall(durationMs: number): void {
    this.#stalls++;
    if (durationMs > this.#longestStallMs) this.#longestStallMs = durationMs;
  }

  hold(): void {
    this.#held++;
  }

  snapshot(): ArrivalSummary {
    return {
      intervals: this.#intervals.snapshot(),
      marginMs: this.#marginMs === Number.POSITIVE_INFINITY ? undefined : this.#marginMs,
      excluded: this.#excluded,
      stalls: this.#stalls,
      longestStallMs: this.#longestStallMs,
      held: this.#held,
    };
  }

  reset(): void {
    this.#intervals.reset();
    this.#marginMs = Number.POSITIVE_INFINITY;
    this.#excluded = 0;
    this.#stalls = 0;
    this.#longestStallMs = 0;
    this.#held = 0;
  }
}
