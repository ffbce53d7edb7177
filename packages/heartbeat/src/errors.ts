// The one table of errors of this package; thrown by set-up calls only, never for a frame.

/** Stable codes of {@link HeartbeatError}. */
export type HeartbeatErrorCode =
  /** A key is shorter than 16 octets, or there are more keys than can be valid at once. */
  | 'RFSIS_HEARTBEAT_KEY_INVALID'
  /** The interval is not within the limits. */
  | 'RFSIS_HEARTBEAT_INTERVAL_INVALID'
  /** The text is no session identifier. */
  | 'RFSIS_HEARTBEAT_SESSION_INVALID';

/** A wrong argument of a set-up call; the message says what is expected. */
export class HeartbeatError extends Error {
  override readonly name = 'HeartbeatError';
  readonly code: HeartbeatErrorCode;

  constructor(code: HeartbeatErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
