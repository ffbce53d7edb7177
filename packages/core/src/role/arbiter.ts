// Who settles whether a node that cannot reach its peer may serve. An arbiter answers soon; it never blocks.

/** The answer to: may this node serve without the other one's consent? */
export interface ArbiterVerdict {
  readonly granted: boolean;
  /** When the answer came, in the time of the node's clock, milliseconds. */
  readonly answeredAtMs: number;
  /** For the log: what the answer rests on. */
  readonly evidence: string;
}

/** Something outside the pair that breaks the tie: nothing at all, a witness on the segment, a lease. */
export interface Arbiter {
  /** For the log and the status: `none`, `witness 10.77.0.1`, ... */
  readonly name: string;
  /** Calls `done` once, at once or soon; not at all when it is asked again before, or closed. */
  consult(done: (verdict: ArbiterVerdict) => void): void;
  close(): void;
}
