// What takes part in the benchmark: two hosts, one of which serves the address while the other waits for its death.
import type { LabHost } from '@rfsis/tool-lab';

/** What the new main says of a takeover. */
export interface TakeoverNews {
  /** When its log line was read, on the clock of `monotonicMs`. */
  readonly loggedAtMs: number;
  readonly detectMs: number | null;
  readonly installMs: number | null;
}

/** A pair in a lab that is used by one contender after the other. Everything is bounded in time. */
export interface Contender {
  readonly name: string;
  readonly version: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** The host that serves. */
  readonly main: LabHost;
  /** The host that takes over. */
  readonly backup: LabHost;
  /** Starts both nodes; done when one serves and the other is ready. */
  start(): Promise<void>;
  /** Why this is not a pair with a main and a ready backup any more, for example after a false alarm. */
  disturbance(): string | undefined;
  /** To be called before the power loss; the result waits for the takeover after it. */
  expectTakeover(): () => Promise<TakeoverNews>;
  /** Gives the power back to the host that died; done when it is ready as backup. The roles have then changed. */
  restore(): Promise<void>;
  /** Ends everything and leaves both hosts as they were before. */
  stop(): Promise<void>;
}
