// Turns "heard now" and the passing of time into alive and dead. Knows nothing of frames; peer-monitor.ts does.
import type { Clock, Timer } from '@rfsis/link';
import { ArrivalStatistics } from './arrival-statistics.js';
import type { FailureDetector } from './failure-detector.js';

/** `unknown` until the peer is heard for the first time. */
export type PeerState = 'unknown' | 'alive' | 'dead';

/** How a peer that fell silent did so. */
export interface Silence {
  /** Time since the last beat. */
  readonly silentMs: number;
  /** When that was, in the time of the clock. */
  readonly lastBeatAtMs: number;
  /** When the detector, or the grace after a stall of our own, ended. */
  readonly deadlineMs: number;
}

/** Options of {@link Liveness}. */
export interface LivenessOptions {
  readonly clock: Clock;
  readonly detector: FailureDetector;
  /** A timer later than this tells that this node itself was held up. */
  readonly stallLimitMs: number;
  /** How long after such a stall the peer cannot be declared dead. */
  readonly graceMs: number;
  /** Whether this node could hear anything at all. */
  readonly carrier: () => boolean;
  /** A number that changes when frames come in. */
  readonly activity: () => number;
  readonly onSilence: (silence: Silence) => void;
}

/** Turns of the event loop that a decision waits for as long as each of them still brings frames. */
const DRAIN_TURNS = 3;
/** Longer delays are waited for in steps. */
const MAX_TIMER_MS = 1_000_000;

/**
 * Declares death only when the silence is the peer's. Three things are ruled out first: beats that wait in the receive
 * buffer (the decision is put off to the end of the turn, and further while frames keep coming in, for three turns at
 * the most), a stall of our own (a timer that ran late gives the peer a grace from the wake-up on), and a missing
 * carrier (the decision waits for it, then the grace begins).
 */
export class Liveness {
  readonly statistics = new ArrivalStatistics();
  readonly #options: LivenessOptions;
  #state: PeerState = 'unknown';
  #lastMs = Number.NEGATIVE_INFINITY;
  #graceUntilMs = Number.NEGATIVE_INFINITY;
  /** Runs ahead of the deadline rather than being moved with every beat. */
  #timer: Timer | undefined;
  #timerDueMs = 0;
  #decision: Timer | undefined;
  #decisionSinceMs = 0;
  #turnsLeft = 0;
  #activity = 0;
  /** The deadline passed while there was no carrier. */
  #isHeld = false;
  #isClosed = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  get state(): PeerState {
    return this.#state;
  }

  /** When the peer was last heard, `-Infinity` when never. */
  get lastHeardMs(): number {
    return this.#lastMs;
  }

  /** When the peer will be declared dead if nothing more is heard; `Infinity` unless it is alive. */
  get deadlineMs(): number {
    if (this.#state !== 'alive') return Number.POSITIVE_INFINITY;
    return Math.max(this.#options.detector.deadline(), this.#graceUntilMs);
  }

  /** The peer is alive from now on; the detector starts anew. */
  revive(nowMs: number): void {
    this.#state = 'alive';
    this.#lastMs = nowMs;
    this.#graceUntilMs = Number.NEGATIVE_INFINITY;
    this.#options.detector.reset(nowMs);
    this.#cancel();
    this.#arm(nowMs);
  }

  /** A living peer was heard. */
  heard(nowMs: number): void {
    const { detector } = this.#options;
    // After a stop the event loop may hand over waiting frames before it runs the timer that is overdue.
    if (this.#timer !== undefined && this.#noticeStall(nowMs, this.#timerDueMs)) {
      this.#timer.cancel();
      this.#timer = undefined;
    }
    if (nowMs < this.#graceUntilMs) {
      this.statistics.exclude();
      detector.resume(nowMs);
    } else {
      this.statistics.arrival(nowMs - this.#lastMs, detector.deadline() - nowMs);
      detector.heard(nowMs);
    }
    this.#lastMs = nowMs;
    this.#isHeld = false;
    this.#arm(nowMs);
  }

  /** The peer is dead for a reason other than silence; nothing is reported. */
  end(): void {
    this.#state = 'dead';
    this.#cancel();
  }

  /** The carrier is back: what was said meanwhile could not be heard. */
  carrierBack(nowMs: number): void {
    if (this.#state !== 'alive') return;
    this.#graceUntilMs = Math.max(this.#graceUntilMs, nowMs + this.#options.graceMs);
    this.#isHeld = false;
    this.#arm(nowMs);
  }

  /** Stops all timers, for good. */
  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  #cancel(): void {
    this.#timer?.cancel();
    this.#decision?.cancel();
    this.#timer = undefined;
    this.#decision = undefined;
    this.#isHeld = false;
  }

  #arm(nowMs: number, dueMs: number = Math.min(this.deadlineMs, nowMs + MAX_TIMER_MS)): void {
    if (this.#isClosed) return;
    if (this.#timer !== undefined) {
      if (this.#timerDueMs <= dueMs) return;
      this.#timer.cancel();
    }
    this.#timerDueMs = dueMs;
    this.#timer = this.#options.clock.setTimer(dueMs - nowMs, this.#onTimer);
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    const nowMs = this.#options.clock.now();
    this.#noticeStall(nowMs, this.#timerDueMs);
    if (nowMs < this.deadlineMs) {
      this.#arm(nowMs);
      return;
    }
    if (this.#decision !== undefined) return;
    this.#turnsLeft = DRAIN_TURNS;
    this.#decideLater(nowMs);
  };

  #decideLater(nowMs: number): void {
    this.#turnsLeft--;
    this.#decisionSinceMs = nowMs;
    this.#activity = this.#options.activity();
    this.#decision = this.#options.clock.defer(this.#onDecision);
  }

  readonly #onDecision = (): void => {
    this.#decision = undefined;
    const nowMs = this.#options.clock.now();
    this.#noticeStall(nowMs, this.#decisionSinceMs);
    const { deadlineMs } = this;
    if (nowMs < deadlineMs) {
      this.#arm(nowMs);
      return;
    }
    if (this.#turnsLeft > 0 && this.#activity !== this.#options.activity()) {
      this.#decideLater(nowMs);
      return;
    }
    if (!this.#options.carrier()) {
      if (!this.#isHeld) this.statistics.hold();
      this.#isHeld = true;
      // The device reports the carrier's return; looking again by ourselves costs little and needs no trust in that.
      this.#arm(nowMs, nowMs + Math.max(1, this.#options.graceMs));
      return;
    }
    if (this.#isHeld) {
      this.carrierBack(nowMs);
      return;
    }
    this.end();
    this.#options.onSilence({ silentMs: nowMs - this.#lastMs, lastBeatAtMs: this.#lastMs, deadlineMs });
  };

  /**
   * @param dueMs when this call should have come
   * @returns whether it came so late that this node must have been held up
   */
  #noticeStall(nowMs: number, dueMs: number): boolean {
    const lateMs = nowMs - dueMs;
    if (lateMs <= this.#options.stallLimitMs) return false;
    this.statistics.stall(lateMs);
    this.#graceUntilMs = nowMs + this.#options.graceMs;
    return true;
  }
}
