import { VirtualClock } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { LoopbackQueue } from '../../src/ipv4/loopback.js';
import { hex } from '../network.js';

describe('LoopbackQueue', () => {
  function queue(limit: number) {
    const clock = new VirtualClock();
    const delivered: string[] = [];
    const loopback = new LoopbackQueue(clock, limit, (datagram) => {
      delivered.push(Buffer.from(datagram).toString('hex'));
      if (delivered.length === 1) loopback.push(hex('99'), 0, 1);
    });
    return { clock, delivered, loopback };
  }

  it('delivers copies at the end of the turn, what they cause a turn later', () => {
    const { clock, delivered, loopback } = queue(100);
    // A Buffer too is copied.
    const bytes = Buffer.from('000102', 'hex');
    expect(loopback.push(bytes, 1, 3)).toBe(true);
    bytes.fill(0xff);
    loopback.push(hex('0a0b'), 0, 2);
    expect(delivered).toEqual([]);
    clock.advance(0);
    expect(delivered).toEqual(['0102', '0a0b', '99']);
    expect(clock.pending).toBe(0);
  });

  it('is bounded in octets', () => {
    const { clock, delivered, loopback } = queue(4);
    expect(loopback.push(hex('01020304'), 0, 4)).toBe(true);
    expect(loopback.push(hex('05'), 0, 1)).toBe(false);
    clock.advance(0);
    expect(delivered).toEqual(['01020304', '99']);
  });

  it('forgets', () => {
    const { clock, delivered, loopback } = queue(4);
    loopback.push(hex('01'), 0, 1);
    loopback.clear();
    clock.advance(0);
    expect([delivered, clock.pending]).toEqual([[], 0]);
  });
});
