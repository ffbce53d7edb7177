// Ports chosen for sockets that do not care which (RFC 6056).
import { randomBelow, type Random } from '@rfsis/link';
import { StackError } from '../errors.js';

/** From where to where. */
export interface EphemeralPortRange {
  /** Default 32,768. */
  readonly ephemeralPortFirst: number;
  /** Default 65,535. */
  readonly ephemeralPortLast: number;
}

/** RFC 6056 3.3.1 (algorithm 1): begins at a random port and takes the first that is free. */
export class EphemeralPorts {
  readonly #random: Random;
  readonly #first: number;
  readonly #count: number;

  /** @throws {StackError} `RFSIS_STACK_OPTION_INVALID` */
  constructor(random: Random, range: EphemeralPortRange) {
    const { ephemeralPortFirst: first, ephemeralPortLast: last } = range;
    if (!Number.isInteger(first) || !Number.isInteger(last) || first < 1 || last > 0xffff || first > last) {
      throw new StackError(
        'RFSIS_STACK_OPTION_INVALID',
        `ephemeral ports ${first} to ${last}: expected a range within 1 to 65535`,
      );
    }
    this.#random = random;
    this.#first = first;
    this.#count = last - first + 1;
  }

  /** undefined when none is free */
  choose(isFree: (port: number) => boolean): number | undefined {
    const start = randomBelow(this.#random, this.#count);
    for (let step = 0; step < this.#count; step++) {
      const port = this.#first + ((start + step) % this.#count);
      if (isFree(port)) return port;
    }
    return undefined;
  }
}
