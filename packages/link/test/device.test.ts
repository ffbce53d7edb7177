import { describe, expect, it } from 'vitest';
import { ChecksumState, FrameBatch, NO_OFFLOAD, copyFrame, newLinkCounters } from '../src/index.js';

describe('FrameBatch', () => {
  it('holds frames as places in one buffer', () => {
    const batch = new FrameBatch(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7), 2);
    batch.add(1, 3);
    batch.add(4, 2, ChecksumState.partial);
    expect([batch.count, batch.offset(1), batch.length(1), batch.checksum(1)]).toEqual([2, 4, 2, 2]);
    expect(batch.checksum(0)).toBe(ChecksumState.unknown);
    expect([...batch.frame(0)]).toEqual([1, 2, 3]);
    expect(batch.frame(0).buffer).toBe(batch.bytes.buffer);
  });

  it('grows when its tables are full, and keeps its size when it is cleared', () => {
    const batch = new FrameBatch(new Uint8Array(100));
    for (let index = 0; index < 50; index++) batch.add(index, index + 1, ChecksumState.valid);
    expect(batch.count).toBe(50);
    for (let index = 0; index < 50; index++) {
      expect([batch.offset(index), batch.length(index), batch.checksum(index)]).toEqual([
        index,
        index + 1,
        1,
      ]);
    }
    const { capacity } = batch;
    expect(capacity).toBeGreaterThanOrEqual(50);
    batch.clear();
    expect([batch.count, batch.capacity]).toEqual([0, capacity]);
  });

  it('is made of one frame', () => {
    const batch = FrameBatch.of(Uint8Array.of(7, 8, 9));
    expect([batch.count, ...batch.frame(0)]).toEqual([1, 7, 8, 9]);
  });
});

it('starts counters at zero, each time anew', () => {
  expect(newLinkCounters()).toEqual({
    rxFrames: 0,
    rxOctets: 0,
    rxDropped: 0,
    txFrames: 0,
    txOctets: 0,
    txDropped: 0,
  });
  expect(newLinkCounters()).not.toBe(newLinkCounters());
  expect(NO_OFFLOAD).toEqual({ segmentationOctets: 0, checksums: false });
});

it('copies frames, also those in a Buffer', () => {
  for (const frame of [Uint8Array.of(1, 2, 3), Buffer.from([1, 2, 3])]) {
    const [whole, part] = [copyFrame(frame), copyFrame(frame, 2)];
    frame.fill(9);
    expect([[...whole], [...part]]).toEqual([
      [1, 2, 3],
      [1, 2],
    ]);
  }
});
