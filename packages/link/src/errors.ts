// The one table of errors of this package. Codes are stable; messages say what to do next.

/** Stable codes of {@link LinkError}. */
export type LinkErrorCode =
  /** A MAC address, IPv4 address or prefix could not be parsed. */
  | 'RFSIS_LINK_ADDRESS_INVALID'
  /** The named network interface does not exist, or is no Ethernet interface. */
  | 'RFSIS_LINK_NO_INTERFACE'
  /** The process may not capture or send frames. */
  | 'RFSIS_LINK_NO_PRIVILEGE'
  /** The optional `cap` module is not installed or could not be loaded. */
  | 'RFSIS_LINK_NO_CAP'
  /** The device is open already, or is closed. */
  | 'RFSIS_LINK_STATE'
  /** The device could not be opened for another reason. */
  | 'RFSIS_LINK_OPEN_FAILED';

/** An error of the link layer; thrown by set-up calls only, never for a frame. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
  readonly code: LinkErrorCode;

  constructor(code: LinkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
