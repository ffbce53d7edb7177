// HalfSipHash-2-4 with a secret key (Aumasson and Bernstein, 2012): a short keyed hash for numbers that others must
// not be able to predict, such as IP identifications. Not for authentication.
import type { Random } from '@rfsis/link';

/** A keyed hash of up to four 32-bit words. */
export class KeyedHash {
  readonly #key0: number;
  readonly #key1: number;

  constructor(key0: number, key1: number) {
    this.#key0 = key0 | 0;
    this.#key1 = key1 | 0;
  }

  /** With a key of its own. */
  static withRandomKey(random: Random): KeyedHash {
    return new KeyedHash(random.uint32(), random.uint32());
  }

  /** The hash of three words, each taken as four octets, least significant first; an unsigned 32-bit integer. */
  hash3(a: number, b: number, c: number): number {
    let v0 = this.#key0;
    let v1 = this.#key1;
    let v2 = this.#key0 ^ 0x6c79_6765;
    let v3 = this.#key1 ^ 0x7465_6462;
    // Three words, the length word (12 octets) with its two rounds, then four rounds to finish.
    for (let step = 0; step < 5; step++) {
      let word = 0;
      let rounds = 2;
      if (step === 0) word = a | 0;
      else if (step === 1) word = b | 0;
      else if (step === 2) word = c | 0;
      else if (step === 3) word = 12 << 24;
      else {
        v2 ^= 0xff;
        rounds = 4;
      }
      v3 ^= word;
      for (; rounds > 0; rounds--) {
        v0 = (v0 + v1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        v2 = (v2 << 16) | (v2 >>> 16);
      }
      v0 ^= word;
    }
    return (v1 ^ v3) >>> 0;
  }
}
