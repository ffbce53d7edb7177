import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addToSum,
  checksum,
  finishChecksum,
  foldSum,
  pseudoHeaderSum,
  readU16,
  updateChecksum,
  writeU16,
} from '../src/index.js';

/** RFC 1071 section 1, word for word, in big integers. */
function naiveSum(bytes: Uint8Array): number {
  let sum = 0n;
  for (let index = 0; index < bytes.length; index += 2) {
    sum += BigInt((bytes[index] ?? 0) * 256 + (bytes[index + 1] ?? 0));
  }
  while (sum > 0xffffn) sum = (sum & 0xffffn) + (sum >> 16n);
  return Number(sum);
}

describe('addToSum', () => {
  it('RFC 1071 3: sums the numerical example', () => {
    const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
    expect(addToSum(0, bytes, 0, 8)).toBe(0x2_ddf0);
    expect(foldSum(addToSum(0, bytes, 0, 8))).toBe(0xddf2);
    expect(checksum(bytes, 0, 8)).toBe(0x220d);
  });

  it('sums a known IPv4 header to its checksum', () => {
    const header = Uint8Array.of(
      0x45,
      0,
      0,
      0x73,
      0,
      0,
      0x40,
      0,
      0x40,
      0x11,
      0,
      0,
      0xc0,
      0xa8,
      0,
      1,
      0xc0,
      0xa8,
      0,
      0xc7,
    );
    expect(checksum(header, 0, 20)).toBe(0xb861);
    writeU16(header, 10, 0xb861);
    expect(checksum(header, 0, 20)).toBe(0);
  });

  it('RFC 1071 4.1: takes a last odd octet as the high half of a word', () => {
    expect(addToSum(0, Uint8Array.of(1, 2, 3), 0, 3)).toBe(0x0102 + 0x0300);
    expect(addToSum(0, Uint8Array.of(7), 0, 1)).toBe(0x0700);
    expect(addToSum(5, Uint8Array.of(7), 0, 0)).toBe(5);
  });

  it('equals the naive sum at any length and offset', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 700 }),
        fc.nat(9),
        fc.nat(9),
        fc.integer({ min: 0, max: 0xffff }),
        (data, before, behind, start) => {
          const storage = new Uint8Array(before + data.length + behind + 1).fill(0xff);
          storage.set(data, before + 1);
          // A window with an offset of its own, so that odd and even alignment both occur.
          const bytes = storage.subarray(1);
          const expected = naiveSum(Uint8Array.of(start >> 8, start & 0xff, ...data));
          expect(foldSum(addToSum(start, bytes, before, data.length))).toBe(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('does not overflow on the longest datagram of the largest octets', () => {
    for (const offset of [0, 1]) {
      const bytes = new Uint8Array(65_536).fill(0xff);
      expect(foldSum(addToSum(0, bytes, offset, 65_535))).toBe(naiveSum(bytes.subarray(0, 65_535)));
    }
  });

  it('may be split at every even place', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 1500 }), fc.nat(), (bytes, place) => {
        const split = (place % bytes.length) & ~1;
        const first = addToSum(0, bytes, 0, split);
        const both = addToSum(first, bytes, split, bytes.length - split);
        expect(finishChecksum(both)).toBe(checksum(bytes, 0, bytes.length));
      }),
    );
  });
});

describe('pseudoHeaderSum', () => {
  it('RFC 768: equals the sum of the twelve octets', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        fc.nat(255),
        fc.nat(65_535),
        (ips, protocol, length) => {
          const header = Uint8Array.of(...ips, 0, protocol, length >> 8, length & 0xff);
          const source = readU16(header, 0) * 65_536 + readU16(header, 2);
          const destination = readU16(header, 4) * 65_536 + readU16(header, 6);
          expect(foldSum(pseudoHeaderSum(source, destination, protocol, length))).toBe(naiveSum(header));
        },
      ),
    );
  });
});

describe('updateChecksum', () => {
  it('RFC 1624 4: gives 0x0000 where equation 2 fails', () => {
    expect(updateChecksum(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
  });

  it('RFC 1624: equals summing anew', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 4, maxLength: 60 }),
        fc.nat(),
        fc.integer({ min: 0, max: 0xffff }),
        (data, place, word) => {
          // A non-zero word apart, as any protocol has one: all-zero data has two representations.
          const bytes = Uint8Array.of(0x45, 0, ...data, ...(data.length % 2 === 0 ? [] : [0]));
          const offset = 2 + ((place % (bytes.length - 2)) & ~1);
          const updated = updateChecksum(checksum(bytes, 0, bytes.length), readU16(bytes, offset), word);
          writeU16(bytes, offset, word);
          expect(updated).toBe(checksum(bytes, 0, bytes.length));
        },
      ),
    );
  });
});
