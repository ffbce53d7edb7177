import { describe, expect, it } from 'vitest';
import { SecureRandom, SeededRandom, randomBelow, randomFraction, type Random } from '../src/index.js';

const MASK = 0xffff_ffffn;
const rotl = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (32n - by))) & MASK;

/** xoshiro128** 1.1 as its authors publish it, transcribed to big integers. */
function* reference(state: [bigint, bigint, bigint, bigint]): Generator<number> {
  for (;;) {
    yield Number((rotl((state[1] * 5n) & MASK, 7n) * 9n) & MASK);
    const shifted = (state[1] << 9n) & MASK;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotl(state[3], 11n);
  }
}

/** splitmix32 in big integers. */
function splitmix(seed: bigint): () => bigint {
  let state = seed & MASK;
  return () => {
    state = (state + 0x9e37_79b9n) & MASK;
    let mixed = state;
    mixed = ((mixed ^ (mixed >> 16n)) * 0x21f0_aaadn) & MASK;
    mixed = ((mixed ^ (mixed >> 15n)) * 0x735a_2d97n) & MASK;
    return mixed ^ (mixed >> 15n);
  };
}

function take(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.uint32());
}

describe('SeededRandom', () => {
  it('is xoshiro128** over splitmix32', () => {
    // The published generator gives these first numbers from the state 1, 2, 3, 4.
    const published = reference([1n, 2n, 3n, 4n]);
    expect([published.next().value, published.next().value, published.next().value]).toEqual([
      11_520, 0, 5_927_040,
    ]);
    for (const seed of [0, 1, 42, 0xffff_ffff, 0xdead_beef]) {
      const next = splitmix(BigInt(seed));
      const expected = reference([next(), next(), next(), next() | 1n]);
      expect(take(new SeededRandom(seed), 200)).toEqual(
        Array.from({ length: 200 }, () => expected.next().value as number),
      );
    }
  });

  it('gives the same numbers for a seed for ever', () => {
    expect(take(new SeededRandom(1), 8)).toMatchInlineSnapshot(`
      [
        393288148,
        2174103013,
        3814759091,
        2092745082,
        1865176206,
        2179171167,
        3207394750,
        2858353069,
      ]
    `);
    const octets = new Uint8Array(8);
    new SeededRandom(1).fill(octets);
    expect([...octets]).toMatchInlineSnapshot(`
      [
        212,
        229,
        179,
        122,
        142,
        95,
        190,
        173,
      ]
    `);
  });

  it('takes the low 32 bits of the seed', () => {
    expect(take(new SeededRandom(0x1_0000_0007), 4)).toEqual(take(new SeededRandom(7), 4));
    expect(take(new SeededRandom(-1), 4)).toEqual(take(new SeededRandom(0xffff_ffff), 4));
  });

  it('is spread evenly', () => {
    const random = new SeededRandom(99);
    const buckets = new Array<number>(16).fill(0);
    for (let draw = 0; draw < 160_000; draw++) {
      const bucket = randomBelow(random, 16);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});

describe('SecureRandom', () => {
  it('gives unsigned 32-bit numbers, over more than one block', () => {
    const numbers = take(new SecureRandom(), 1000);
    expect(numbers.every((value) => Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff)).toBe(
      true,
    );
    expect(new Set(numbers).size).toBeGreaterThan(990);
  });

  it('fills octets', () => {
    const octets = new Uint8Array(64);
    new SecureRandom().fill(octets);
    expect(octets.some((octet) => octet !== 0)).toBe(true);
  });
});

describe('drawing', () => {
  const extreme = (value: number): Random => ({ uint32: () => value, fill: () => undefined });

  it('never reaches the upper limit', () => {
    expect(randomFraction(extreme(0))).toBe(0);
    expect(randomFraction(extreme(0xffff_ffff))).toBeLessThan(1);
    expect(randomBelow(extreme(0xffff_ffff), 10)).toBe(9);
    expect(randomBelow(extreme(0xffff_ffff), 0x1_0000_0000)).toBe(0xffff_ffff);
    expect(randomBelow(extreme(0), 10)).toBe(0);
  });
});
