// What a user can mend: one line that says what to do, and exit code 2.

/** Stable codes of {@link BenchError}. */
export type BenchErrorCode =
  /** Something must be built or installed before this can be measured. */
  | 'RFSIS_BENCH_UNAVAILABLE'
  /** A file for the output cannot be written. */
  | 'RFSIS_BENCH_FILE';

/** An error of the benchmarks. */
export class BenchError extends Error {
  override readonly name = 'BenchError';
  readonly code: BenchErrorCode;

  constructor(code: BenchErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
