// The one table of errors of this package. Codes are stable; messages say what to do next.

/** Stable codes of {@link RfsisError}. */
export type RfsisErrorCode =
  /** The configuration file cannot be read or is no JSON. */
  | 'RFSIS_CONFIG_UNREADABLE'
  /** A key of the configuration is unknown, missing or wrong; the message names it. */
  | 'RFSIS_CONFIG_INVALID'
  /** Somebody who is not the peer answers for the service address. */
  | 'RFSIS_ADDRESS_IN_USE'
  /** Another process serves the control socket, or it cannot be made. */
  | 'RFSIS_CONTROL_SOCKET'
  /** No node answers on the control socket. */
  | 'RFSIS_NO_NODE'
  /** A handover is not possible now; the message says why. */
  | 'RFSIS_HANDOVER_REFUSED'
  /** A call came at the wrong time: started twice, or used before the start. */
  | 'RFSIS_STATE';

/** An error a user can act on. Its message is one line. */
export class RfsisError extends Error {
  override readonly name = 'RfsisError';
  readonly code: RfsisErrorCode;

  constructor(code: RfsisErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
