// Chance as the rest of RFSIS sees it: a seeded generator for simulations, a secure one for secrets and identifiers.
import { randomFillSync } from 'node:crypto';

/** A source of random numbers. */
export interface Random {
  /** An integer of 0 to 2^32 - 1. */
  uint32(): number;
  /** Fills the whole of `bytes`. */
  fill(bytes: Uint8Array): void;
}

/** A number of 0 (included) to 1 (excluded). */
export function randomFraction(random: Random): number {
  return random.uint32() / 0x1_0000_0000;
}

/** An integer of 0 (included) to `limit` (excluded); `limit` at most 2^32. */
export function randomBelow(random: Random, limit: number): number {
  return Math.floor(randomFraction(random) * limit);
}

/**
 * xoshiro128** (Blackman and Vigna), seeded through splitmix32: the same seed gives the same numbers for ever.
 * Not for secrets.
 */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed the low 32 bits count */
  constructor(seed: number) {
    let state = seed >>> 0;
    const splitmix = (): number => {
      state = (state + 0x9e37_79b9) >>> 0;
      let mixed = state;
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0_aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
      return (mixed ^ (mixed >>> 15)) >>> 0;
    };
    this.#a = splitmix();
    this.#b = splitmix();
    this.#c = splitmix();
    this.#d = splitmix() | 1;
  }

  uint32(): number {
    const scrambled = Math.imul(this.#b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  fill(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length; index++) bytes[index] = this.uint32();
  }
}

/** Unpredictable numbers from the operating system, drawn in blocks. */
export class SecureRandom implements Random {
  readonly #pool = new Uint32Array(256);
  #next = this.#pool.length;

  uint32(): number {
    if (this.#next >= this.#pool.length) {
      randomFillSync(this.#pool);
      this.#next = 0;
    }
    const value = this.#pool[this.#next] as number;
    this.#pool[this.#next++] = 0;
    return value;
  }

  fill(bytes: Uint8Array): void {
    randomFillSync(bytes);
  }
}
