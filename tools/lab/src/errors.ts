// The one table of errors of the lab. Codes are stable; messages are one line and say what to do next.

/** Stable codes of {@link LabError}. */
export type LabErrorCode =
  /** This machine or user cannot run a lab: not root, a capability or a program is missing. */
  | 'RFSIS_LAB_UNAVAILABLE'
  /** A name of a lab or a host breaks the rules for names. */
  | 'RFSIS_LAB_NAME_INVALID'
  /** There is a lab or a host of this name already. */
  | 'RFSIS_LAB_NAME_TAKEN'
  /** There is no lab or no host of this name. */
  | 'RFSIS_LAB_NOT_FOUND'
  /** Something did not happen within its bound. */
  | 'RFSIS_LAB_TIMEOUT'
  /** A system command failed; the message carries what it said. */
  | 'RFSIS_LAB_COMMAND_FAILED'
  /** A program ended before it did what was waited for. */
  | 'RFSIS_LAB_PROCESS_ENDED'
  /** A program printed something that is not what it should print. */
  | 'RFSIS_LAB_OUTPUT_INVALID'
  /** The lab, capture or probe is closed. */
  | 'RFSIS_LAB_CLOSED'
  /** Both nodes of a shared lab are taken by running programs. */
  | 'RFSIS_LAB_SEATS_TAKEN';

/** An error of the lab. */
export class LabError extends Error {
  override readonly name = 'LabError';
  readonly code: LabErrorCode;

  constructor(code: LabErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
