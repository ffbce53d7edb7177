// The one table of errors of this package; thrown by set-up calls only, never for a frame.

/** Stable codes of {@link SnifferError}. */
export type SnifferErrorCode =
  /** A timeout, threshold, window or other figure of a failure detector makes no sense. */
  | 'RFSIS_SNIFFER_DETECTOR_INVALID'
  /** A time or limit of the monitor makes no sense. */
  | 'RFSIS_SNIFFER_OPTION_INVALID';

/** A wrong argument of a set-up call; the message says what is expected. */
export class SnifferError extends Error {
  override readonly name = 'SnifferError';
  readonly code: SnifferErrorCode;

  constructor(code: SnifferErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
