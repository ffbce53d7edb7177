// Which of the peer's incarnations is alive, and which beat is new: protection against replay.
import type { BeatView, SessionId } from '@rfsis/heartbeat';

/** Former sessions of the peer that are remembered. */
const RETIRED_MAX = 256;

/** What can be said of a beat before it is verified; costs a few comparisons. */
export type SessionJudgement =
  /** Sent by ourselves: reflected, or replayed at us. */
  | 'own'
  /** Of the current session, and newer than all before it. */
  | 'current'
  /** Heard before, or of a former session. */
  | 'replayed'
  /** Of a session we know nothing of. */
  | 'unknown';

/**
 * Rules: within the current session the sequence rises strictly. A session becomes the current one when a beat of it
 * echoes our own session, which proves that it was made after we started; the one before is retired for as long as we
 * run. At the limit of 256 retired sessions the oldest is forgotten.
 */
export class PeerSessions {
  #own: SessionId;
  #current: SessionId | undefined;
  #lastSequence = 0;
  /** Ring of retired sessions, two halves each; zeros are no session. */
  readonly #retired = new Uint32Array(2 * RETIRED_MAX);
  #nextRetired = 0;

  constructor(own: SessionId) {
    this.#own = own;
  }

  /** From now on an unknown session is proven by the echo of `own`. The peer's current session goes on. */
  renew(own: SessionId): void {
    this.#own = own;
  }

  /** The peer's session that was proven last. */
  get current(): SessionId | undefined {
    return this.#current;
  }

  /** Sequence of the last beat accepted in the current session. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  judge(view: BeatView): SessionJudgement {
    if (view.isFrom(this.#own)) return 'own';
    if (this.#current !== undefined && view.isFrom(this.#current)) {
      return view.sequence > this.#lastSequence ? 'current' : 'replayed';
    }
    return this.#isRetired(view) ? 'replayed' : 'unknown';
  }

  /** Whether an authentic beat of an unknown session proves that the session lives now. */
  isProven(view: BeatView): boolean {
    return view.echoes(this.#own);
  }

  /**
   * Takes an authentic beat of the current session.
   * @returns how many beats before it were lost
   */
  advance(sequence: number): number {
    const lost = sequence - this.#lastSequence - 1;
    this.#lastSequence = sequence;
    return lost;
  }

  /** Makes the session of an authentic, proven beat the current one. */
  establish(session: SessionId, sequence: number): void {
    if (this.#current !== undefined) {
      this.#retired[this.#nextRetired] = this.#current.high;
      this.#retired[this.#nextRetired + 1] = this.#current.low;
      this.#nextRetired = (this.#nextRetired + 2) % this.#retired.length;
    }
    this.#current = session;
    this.#lastSequence = sequence;
  }

  #isRetired(view: BeatView): boolean {
    if (this.#current === undefined) return false;
    const high = view.sessionHigh;
    const low = view.sessionLow;
    for (let index = 0; index < this.#retired.length; index += 2) {
      if (this.#retired[index + 1] === low && this.#retired[index] === high) return true;
    }
    return false;
  }
}
