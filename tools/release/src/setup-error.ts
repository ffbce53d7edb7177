// Why the check could not run at all, as opposed to what it found.

/** The check cannot run; the message is one line and says what to do. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}
