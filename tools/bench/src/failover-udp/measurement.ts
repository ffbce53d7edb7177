// What is measured of one failover, as plain data that goes into the JSON output as it is.

/** Times in milliseconds after the power loss; null: it was not seen. */
export interface Timeline {
  /** When the last datagram was sent that the old main answered; negative, and small unless something else was wrong. */
  readonly lastAnsweredSent: number | null;
  /** Switch: the last beat or advertisement of the main. Negative; its random part is the phase of the power loss. */
  readonly lastSign: number | null;
  /** Switch: the first ARP announcement of the new main. */
  readonly announced: number | null;
  /** The new main's log line about the takeover was read. */
  readonly logged: number | null;
  /** When the first datagram was sent that was answered. */
  readonly firstAnsweredSent: number | null;
  /** When its answer, or one to a later datagram, arrived. */
  readonly firstAnswer: number | null;
  /** Switch: the new main asked by ARP for the client's MAC address, without which it cannot answer. */
  readonly askedForClient: number | null;
  /** Switch: the client answered that. */
  readonly toldClient: number | null;
}

/** One failover. */
export interface FailoverRun {
  /** From 1. */
  readonly number: number;
  /** The longest time between the sending of two answered datagrams with unanswered ones in between. */
  readonly gapMs: number;
  readonly unanswered: number;
  /** The longest time between the arrival of two answers: what somebody sees who waits for answers. */
  readonly silenceMs: number;
  /** The power loss lies in that gap. When not, something else silenced the service for longer. */
  readonly coversPowerLoss: boolean;
  /** Gaps besides that one. */
  readonly otherGaps: number;
  /** Answers that were wrong or came twice. */
  readonly wrongAnswers: number;
  /** As the new main logged it: from the last sign of life it heard to its decision; null when it does not say. */
  readonly detectMs: number | null;
  /** As the new main logged it: from the decision until the address was announced. */
  readonly installMs: number | null;
  readonly afterPowerLossMs: Timeline;
  /** How late the prober itself was at worst; the gap may be overstated by as much. */
  readonly proberLateMs: number;
  /** It was late by more than {@link PROBER_LATE_MS}. */
  readonly proberLate: boolean;
  /** Share of all processors that was at work, 0 to 1. */
  readonly busy: number;
}

/** From here on a run is marked. */
export const PROBER_LATE_MS = 3;

/** All failovers of one contender. */
export interface ContenderResult {
  readonly name: string;
  readonly version: string;
  /** How often it says that it lives, and after how much silence it is taken for dead. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly runs: readonly FailoverRun[];
  /** Failovers that came to no figure because nobody took over, and what was said. */
  readonly failures: readonly string[];
  /** Why a pair had to be set up anew; says nothing of failovers. */
  readonly setupFailures: readonly string[];
}
