import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ARP_DEFAULTS, newArpCounters } from '../src/index.js';
import { HeldFrames, ipv4Source } from '../src/held-frames.js';
import type { HoldLimits } from '../src/options.js';
import { IP_A, IP_B, ipv4Frame, MAC_A } from './segment.js';

function heldOf(limits: Partial<HoldLimits> = {}) {
  const drops = newArpCounters().txDrops;
  return { held: new HeldFrames({ ...ARP_DEFAULTS, ...limits }, drops), drops };
}

const frame = (marker: number, length = 60) => new Uint8Array(length).fill(marker);
const markers = (frames: Uint8Array[]) => frames.map((each) => each[0]);

describe('HeldFrames', () => {
  it('RFC 1122 2.3.2.2: keeps copies in order and hands them over once', () => {
    const { held } = heldOf();
    const mine = frame(1);
    held.hold(7, mine, 60);
    mine.fill(9);
    held.hold(7, frame(2, 1500), 70);
    held.hold(8, frame(3), 60);
    expect(held.octets).toBe(190);
    const taken = held.take(7);
    expect(markers(taken)).toEqual([1, 2]);
    expect(taken[1]?.length).toBe(70);
    expect(held.take(7)).toEqual([]);
    expect(held.octets).toBe(60);
  });

  it('copies a Buffer too, whose slice() would not', () => {
    const { held } = heldOf();
    const mine = Buffer.alloc(60, 1);
    held.hold(7, mine, 60);
    mine.fill(9);
    expect(markers(held.take(7))).toEqual([1]);
  });

  it('limit per address: the oldest goes, the latest is kept', () => {
    const { held, drops } = heldOf({ heldFrames: 2 });
    for (const marker of [1, 2, 3]) expect(held.hold(7, frame(marker), 60)).toBe(true);
    expect(drops['hold-overflow']).toBe(1);
    expect(markers(held.take(7))).toEqual([2, 3]);
  });

  it('limit in all: room is made at the expense of the same address only', () => {
    const { held, drops } = heldOf({ heldOctets: 150 });
    held.hold(7, frame(1), 60);
    held.hold(8, frame(2), 60);
    expect(held.hold(7, frame(3, 90), 90)).toBe(true);
    expect(held.hold(9, frame(4), 60)).toBe(false);
    expect(held.hold(7, frame(5, 151), 151)).toBe(false);
    expect(drops['hold-overflow']).toBe(4);
    expect(markers(held.take(8))).toEqual([2]);
    expect(held.take(7)).toEqual([]);
    expect(held.octets).toBe(0);
  });

  it('drops what would leave from one source', () => {
    const { held, drops } = heldOf();
    const fromA = ipv4Frame({ mac: MAC_A }, IP_A);
    const fromB = ipv4Frame({ mac: MAC_A }, IP_B);
    held.hold(7, fromA, 60);
    held.hold(7, fromB, 60);
    held.hold(8, fromA, 60);
    held.hold(9, fromB, 60);
    held.dropFrom(IP_A.value);
    expect(drops['address-changed']).toBe(2);
    expect(held.octets).toBe(120);
    expect(held.take(7)).toEqual([fromB]);
    expect(held.take(8)).toEqual([]);
    expect(held.take(9)).toEqual([fromB]);
  });

  it('reads the source of IPv4 frames only', () => {
    const bytes = ipv4Frame({ mac: MAC_A }, IP_A);
    expect(ipv4Source(bytes, 60)).toBe(IP_A.value);
    expect(ipv4Source(bytes, 29)).toBe(0);
    bytes[13] = 6;
    expect(ipv4Source(bytes, 60)).toBe(0);
  });

  it('property: octets held equal those of the frames, within both limits; every frame ends somewhere', () => {
    const step = fc.record({
      kind: fc.constantFrom('hold', 'hold', 'hold', 'take', 'drop', 'clear'),
      address: fc.integer({ min: 1, max: 3 }),
      length: fc.integer({ min: 14, max: 400 }),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { held, drops } = heldOf({ heldFrames: 3, heldOctets: 1000 });
        let offered = 0;
        let taken = 0;
        for (const { kind, address, length } of steps) {
          if (kind === 'hold') {
            offered++;
            held.hold(address, new Uint8Array(400), length);
          } else if (kind === 'take') taken += held.take(address).length;
          else if (kind === 'drop') held.drop(address, 'address-changed');
          else held.clear('closed');
          expect(held.octets).toBeLessThanOrEqual(1000);
        }
        for (const address of [1, 2, 3]) taken += held.take(address).length;
        expect(held.octets).toBe(0);
        expect(taken + drops['hold-overflow'] + drops['address-changed'] + drops.closed).toBe(offered);
      }),
    );
  });
});
