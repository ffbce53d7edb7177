import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  readU8,
  readU16,
  readU32,
  readU48,
  readU64,
  writeU8,
  writeU16,
  writeU32,
  writeU48,
  writeU64,
} from '../src/index.js';

const bytes = Uint8Array.of(0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8);

describe('reading', () => {
  it('is big-endian and unsigned', () => {
    expect(readU8(bytes, 1)).toBe(0xfe);
    expect(readU16(bytes, 0)).toBe(0xfffe);
    expect(readU32(bytes, 0)).toBe(0xfffe_fdfc);
    expect(readU48(bytes, 1)).toBe(0xfefd_fcfb_faf9);
    expect(readU64(Uint8Array.of(0, 0x1f, 255, 255, 255, 255, 255, 255), 0)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('takes octets past the end as zero', () => {
    expect(readU8(bytes, 8)).toBe(0);
    expect(readU16(bytes, 7)).toBe(0xf800);
    expect(readU32(bytes, 6)).toBe(0xf9f8_0000);
    expect(readU48(bytes, 7)).toBe(0xf800_0000_0000);
    expect(readU64(bytes, 100)).toBe(0);
  });
});

describe('writing', () => {
  it('is read back the same, and touches nothing else', () => {
    const cases = [
      { octets: 1, max: 0xff, write: writeU8, read: readU8 },
      { octets: 2, max: 0xffff, write: writeU16, read: readU16 },
      { octets: 4, max: 0xffff_ffff, write: writeU32, read: readU32 },
      { octets: 6, max: 0xffff_ffff_ffff, write: writeU48, read: readU48 },
      { octets: 8, max: Number.MAX_SAFE_INTEGER, write: writeU64, read: readU64 },
    ];
    for (const { octets, max, write, read } of cases) {
      fc.assert(
        fc.property(fc.integer({ min: 0, max }), fc.integer({ min: 0, max: 8 }), (value, offset) => {
          const target = new Uint8Array(24).fill(0xaa);
          write(target, offset, value);
          expect(read(target, offset)).toBe(value);
          expect(target.filter((octet) => octet === 0xaa).length).toBeGreaterThanOrEqual(24 - octets);
          expect(target.subarray(0, offset).every((octet) => octet === 0xaa)).toBe(true);
          expect(target.subarray(offset + octets).every((octet) => octet === 0xaa)).toBe(true);
        }),
      );
    }
  });

  it('keeps the low bits of a value that is too large', () => {
    const target = new Uint8Array(8);
    writeU8(target, 0, 0x1_23);
    writeU16(target, 1, 0x1_4567);
    writeU32(target, 3, 0x1_89ab_cdef);
    expect([...target]).toEqual([0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0]);
  });
});
