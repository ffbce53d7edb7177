// Times as logs and the status show them.

/** To a hundredth of a millisecond. */
export function roundMs(valueMs: number): number {
  return Math.round(valueMs * 100) / 100;
}
