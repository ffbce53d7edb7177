// The one table of errors of this package. Codes are stable; messages say what to do next.

/** Stable codes of {@link ArpError}. */
export type ArpErrorCode =
  /** The address cannot belong to one host: 0.0.0.0, loopback, multicast or broadcast. */
  | 'RFSIS_ARP_ADDRESS_INVALID'
  /** An option is out of range. */
  | 'RFSIS_ARP_OPTION_INVALID';

/** An error of the ARP layer; thrown by set-up calls only, never for a packet. */
export class ArpError extends Error {
  override readonly name = 'ArpError';
  readonly code: ArpErrorCode;

  constructor(code: ArpErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
