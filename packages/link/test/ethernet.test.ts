import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EtherType,
  EthernetView,
  MacAddress,
  SeededRandom,
  emitEthernet,
  emitEthernetHeader,
  randomBelow,
  writeU16,
} from '../src/index.js';

const destination = MacAddress.parse('02:00:00:00:00:02');
const source = MacAddress.parse('02:00:00:00:00:01');

function frameOf(...tail: number[]): Uint8Array {
  return Uint8Array.of(2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, ...tail);
}

describe('emitEthernet', () => {
  it('RFC 894: writes destination, source, type, and gives the place of the payload', () => {
    const bytes = new Uint8Array(20).fill(0xaa);
    expect(emitEthernet(bytes, 2, { destination, source, etherType: EtherType.ipv4 })).toBe(16);
    expect(bytes).toEqual(Uint8Array.of(0xaa, 0xaa, ...frameOf(8, 0), 0xaa, 0xaa, 0xaa, 0xaa));
    const again = new Uint8Array(20).fill(0xaa);
    expect(emitEthernetHeader(again, 2, destination.value, source.value, EtherType.ipv4)).toBe(16);
    expect(again).toEqual(bytes);
  });
});

describe('EthernetView', () => {
  const view = new EthernetView();

  it('reads an untagged frame anywhere in a buffer', () => {
    const bytes = Uint8Array.of(9, 9, 9, ...frameOf(0x08, 0x06, 1, 2));
    expect(view.read(bytes, 3, 16)).toBeUndefined();
    expect(view.destination).toBe(destination.value);
    expect(view.source).toBe(source.value);
    expect(view.etherType).toBe(EtherType.arp);
    expect(view.vlanId).toBe(0);
    expect(view.payloadOffset).toBe(17);
  });

  it('takes a bare header, with no payload', () => {
    expect(view.read(frameOf(8, 0), 0, 14)).toBeUndefined();
    expect(view.payloadOffset).toBe(14);
  });

  it('refuses fewer than 14 octets, whatever lies behind them', () => {
    for (let length = 0; length < 14; length++) {
      expect(view.read(frameOf(8, 0), 0, length)).toBe('ethernet-truncated');
    }
  });

  it('IEEE 802.1Q: steps over a tag', () => {
    expect(view.read(frameOf(0x81, 0, 0xe0, 0x2a, 8, 0, 1), 0, 19)).toBeUndefined();
    expect(view).toMatchObject({ vlanId: 42, etherType: EtherType.ipv4, payloadOffset: 18 });
  });

  it('IEEE 802.1Q: a priority tag names no VLAN', () => {
    expect(view.read(frameOf(0x81, 0, 0xe0, 0x00, 8, 0), 0, 18)).toBeUndefined();
    expect(view).toMatchObject({ vlanId: 0, etherType: EtherType.ipv4, payloadOffset: 18 });
  });

  it('IEEE 802.1ad: steps over stacked tags and reports the outer one', () => {
    expect(view.read(frameOf(0x88, 0xa8, 0, 7, 0x81, 0, 0, 9, 8, 6), 0, 22)).toBeUndefined();
    expect(view).toMatchObject({ vlanId: 7, etherType: EtherType.arp, payloadOffset: 22 });
  });

  it('refuses a tag that is cut short', () => {
    const frame = frameOf(0x81, 0, 0, 42, 0x81, 0, 0, 43, 8, 0);
    for (const length of [14, 15, 16, 17, 18, 19, 20, 21]) {
      expect(view.read(frame, 0, length)).toBe('vlan-truncated');
    }
    expect(view.read(frame, 0, 22)).toBeUndefined();
  });

  it('forgets the VLAN of the frame before', () => {
    view.read(frameOf(0x81, 0, 0, 42, 8, 0), 0, 18);
    view.read(frameOf(8, 0), 0, 14);
    expect(view.vlanId).toBe(0);
  });

  it('IEEE 802.3 3.2.6: leaves a length as it is', () => {
    expect(view.read(frameOf(0, 38), 0, 14)).toBeUndefined();
    expect(view.etherType).toBe(38);
  });

  it('does not throw on random octets, and stays within the frame', () => {
    const tagged = fc.array(
      fc.oneof(fc.constantFrom([0x81, 0], [0x88, 0xa8], [8, 0]), fc.array(fc.nat(255), { maxLength: 3 })),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), tagged, fc.nat(20), (head, tail, offset) => {
        const bytes = Uint8Array.of(...head, ...tail.flat());
        const length = Math.max(0, bytes.length - offset);
        if (view.read(bytes, offset, length) !== undefined) return;
        expect(view.payloadOffset).toBeGreaterThanOrEqual(offset + 14);
        expect(view.payloadOffset).toBeLessThanOrEqual(offset + length);
        expect(view.source).toBeLessThanOrEqual(0xffff_ffff_ffff);
        expect(view.destination).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 5000 },
    );
  });

  it('takes a million random frames without an exception', () => {
    const random = new SeededRandom(20_260_101);
    const bytes = new Uint8Array(4096);
    random.fill(bytes);
    let defects = 0;
    for (let round = 0; round < 1_000_000; round++) {
      const offset = randomBelow(random, 4000);
      const length = randomBelow(random, 64);
      // One in four is tagged, so that the way through tags is taken too.
      if ((round & 3) === 0) writeU16(bytes, offset + 12, EtherType.vlan);
      if (view.read(bytes, offset, length) !== undefined) defects++;
      else if (view.payloadOffset > offset + length)
        throw new Error(`the payload of frame ${round} is outside`);
    }
    expect(defects).toBeGreaterThan(100_000);
  });
});
