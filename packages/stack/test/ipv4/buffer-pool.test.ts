import { describe, expect, it } from 'vitest';
import { BufferPool } from '../../src/ipv4/buffer-pool.js';

describe('BufferPool', () => {
  it('gives the next power of two, from 2 KiB to 128 KiB', () => {
    const pool = new BufferPool(1);
    const sizes = [1, 2048, 2049, 4096, 65_595, 131_072].map((octets) => pool.take(octets).length);
    expect(sizes).toEqual([2048, 2048, 4096, 4096, 131_072, 131_072]);
  });

  it('uses returned buffers again, and keeps few', () => {
    const pool = new BufferPool(1);
    const [first, second] = [pool.take(3000), pool.take(3000)];
    pool.put(first);
    pool.put(second);
    expect(pool.take(4000)).toBe(first);
    expect(pool.take(4000)).not.toBe(second);
    pool.put(first);
    expect(pool.take(2048)).not.toBe(first);
  });
});
