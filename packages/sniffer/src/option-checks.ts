// Checks of numeric options.
import { SnifferError, type SnifferErrorCode } from './errors.js';

/** @throws {SnifferError} when `value` is not finite or below `low` */
export function requireAtLeast(code: SnifferErrorCode, name: string, value: number, low: number): number {
  if (!(value >= low && value < Number.POSITIVE_INFINITY)) {
    throw new SnifferError(code, `${name} is ${value}: expected a number of at least ${low}`);
  }
  return value;
}

/** @throws {SnifferError} when `value` is not finite or not above 0 */
export function requirePositive(code: SnifferErrorCode, name: string, value: number): number {
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) {
    throw new SnifferError(code, `${name} is ${value}: expected a number above 0`);
  }
  return value;
}
