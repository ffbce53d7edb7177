import { SeededRandom } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { Identification } from '../../src/ipv4/identification.js';

describe('Identification', () => {
  it('RFC 6864 4.3: does not repeat for 65,536 datagrams of one source, destination and protocol', () => {
    const identification = new Identification(new SeededRandom(1));
    const seen = new Set<number>();
    for (let count = 0; count < 0x1_0000; count++) seen.add(identification.next(1, 2, 17));
    expect(seen.size).toBe(0x1_0000);
    expect(Math.max(...seen)).toBe(0xffff);
  });

  it('RFC 7739 3: tells nothing about other destinations or other hosts', () => {
    const one = new Identification(new SeededRandom(1));
    const other = new Identification(new SeededRandom(2));
    const sequence = Array.from({ length: 100 }, (_, destination) => one.next(1, destination, 17));
    const differences = new Set(sequence.map((each, index) => each - (sequence[index - 1] ?? 0)));
    expect(differences.size).toBeGreaterThan(95);
    expect(Array.from({ length: 100 }, (_, destination) => other.next(1, destination, 17))).not.toEqual(
      sequence,
    );
  });

  it('knows what was sent lately (RFC 5927)', () => {
    const identification = new Identification(new SeededRandom(1));
    const first = identification.next(1, 2, 17);
    expect(identification.isRecent(1, 2, 17, first)).toBe(true);
    expect(identification.isRecent(1, 2, 17, (first + 1) & 0xffff)).toBe(false);
    expect(identification.isRecent(1, 3, 17, first)).toBe(false);
    for (let count = 0; count < 1024; count++) identification.next(1, 2, 17);
    expect(identification.isRecent(1, 2, 17, first)).toBe(false);
  });
});
