import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitUdp, parseUdp, UDP_MAX_PAYLOAD, UdpView } from '../../src/udp/datagram.js';
import { hex, ip } from '../network.js';

/** 10.0.0.2:1000 to 10.0.0.1:7, "abc". */
const DATAGRAM = hex('03e8 0007 000b 0000 616263');

describe('UDP datagram', () => {
  it('is read and written octet by octet (RFC 768)', () => {
    const packet = { sourcePort: 1000, destinationPort: 7, payload: hex('616263') };
    expect(parseUdp(DATAGRAM)).toEqual(packet);
    const bytes = new Uint8Array(11);
    expect(emitUdp(bytes, 0, ip('10.0.0.2'), ip('10.0.0.1'), packet)).toBe(11);
    // Pseudo-header 0a00 0002 0a00 0001 0011 000b, header 03e8 0007 000b, data 6162 6300: sum dc7b.
    expect(bytes).toEqual(hex('03e8 0007 000b 2384 616263'));
  });

  it('RFC 768: sends a checksum of zero as all ones', () => {
    const bytes = new Uint8Array(10);
    // The payload is chosen so that the sum is ffff.
    emitUdp(bytes, 0, ip('10.0.0.2'), ip('10.0.0.1'), {
      sourcePort: 1,
      destinationPort: 2,
      payload: hex('0000'),
    });
    const word = ((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0);
    const payload = Uint8Array.of(word >>> 8, word & 255);
    emitUdp(bytes, 0, ip('10.0.0.2'), ip('10.0.0.1'), { sourcePort: 1, destinationPort: 2, payload });
    expect(bytes.subarray(6, 8)).toEqual(hex('ffff'));
  });

  it('comes back from its octets', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffff),
        fc.nat(0xffff),
        fc.uint8Array({ maxLength: 99 }),
        fc.nat(3),
        (from, to, payload, offset) => {
          const bytes = new Uint8Array(offset + 8 + payload.length);
          const packet = { sourcePort: from, destinationPort: to, payload };
          emitUdp(bytes, offset, ip('1.2.3.4'), ip('5.6.7.8'), packet);
          expect(parseUdp(bytes, offset)).toEqual(packet);
        },
      ),
    );
  });

  it('may be shorter than what carries it', () => {
    const view = new UdpView();
    expect(view.read(hex('03e8 0007 0009 0000 61 626364'), 0, 12)).toBeUndefined();
    expect([view.length, view.payloadOffset, view.payloadEnd]).toEqual([9, 8, 9]);
  });

  it.each([
    ['seven octets', DATAGRAM, 7, 'udp-truncated'],
    ['an end beyond the storage', DATAGRAM, 12, 'udp-truncated'],
    ['a length below eight', hex('03e8 0007 0007 0000'), 8, 'udp-length'],
    ['a length beyond the end', hex('03e8 0007 000c 0000 616263'), 11, 'udp-length'],
  ])('is refused with %s', (_name, bytes, end, defect) => {
    expect(new UdpView().read(bytes, 0, end)).toBe(defect);
    expect(parseUdp(bytes, 0, end)).toBeUndefined();
  });

  it('holds 65,507 octets at the most', () => {
    expect(UDP_MAX_PAYLOAD).toBe(65_507);
  });
});
