import { SeededRandom } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { KeyedHash } from '../src/keyed-hash.js';

describe('KeyedHash', () => {
  it('gives the published value of HalfSipHash-2-4 for twelve octets', () => {
    // Reference vectors: key 00 01 .. 07, message 00 01 .. 0b.
    const hash = new KeyedHash(0x0302_0100, 0x0706_0504);
    expect(hash.hash3(0x0302_0100, 0x0706_0504, 0x0b0a_0908)).toBe(0x2f87_f057);
  });

  it('depends on each word and on the key', () => {
    const random = new SeededRandom(1);
    const one = KeyedHash.withRandomKey(random);
    const other = KeyedHash.withRandomKey(random);
    const values = [
      one.hash3(1, 2, 3),
      one.hash3(0, 2, 3),
      one.hash3(1, 0, 3),
      one.hash3(1, 2, 0),
      other.hash3(1, 2, 3),
    ];
    expect(new Set(values).size).toBe(5);
    expect(one.hash3(0xffff_ffff, 2, 3)).toBe(one.hash3(-1, 2, 3));
  });
});
