import { checksum } from '@rfsis/link';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitIpv4, type Ipv4Header, Ipv4View, parseIpv4, rewriteAsWhole } from '../../src/ipv4/packet.js';
import { hex, ip } from '../network.js';

/** 10.0.0.2 to 10.0.0.1, UDP, DF, identification 0x1234, TTL 64, 4 octets of payload. */
const DATAGRAM = hex('4500 0018 1234 4000 4011 149f 0a000002 0a000001 deadbeef');

const header: Ipv4Header = {
  typeOfService: 0,
  totalLength: 24,
  identification: 0x1234,
  dontFragment: true,
  moreFragments: false,
  fragmentOffset: 0,
  timeToLive: 64,
  protocol: 17,
  source: ip('10.0.0.2'),
  destination: ip('10.0.0.1'),
};

function changed(offset: number, value: number): Uint8Array {
  const copy = DATAGRAM.slice();
  copy[offset] = value;
  return copy;
}

describe('IPv4 header', () => {
  it('is read and written octet by octet (RFC 791 3.1)', () => {
    expect(parseIpv4(DATAGRAM)).toEqual(header);
    const bytes = new Uint8Array(24);
    expect(emitIpv4(bytes, 0, header)).toBe(20);
    expect(bytes.subarray(0, 20)).toEqual(DATAGRAM.subarray(0, 20));
  });

  it('comes back from its octets', () => {
    const address = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(
        fc.record({
          typeOfService: fc.nat(255),
          totalLength: fc.integer({ min: 20, max: 100 }),
          identification: fc.nat(0xffff),
          dontFragment: fc.boolean(),
          moreFragments: fc.boolean(),
          fragmentOffset: fc.nat(8191).map((units) => units * 8),
          timeToLive: fc.nat(255),
          protocol: fc.nat(255),
        }),
        address,
        address,
        fc.nat(9),
        (fields, source, destination, offset) => {
          const value = {
            ...fields,
            source: ip('0.0.0.0'),
            destination: ip('0.0.0.0'),
          };
          value.source = ip([24, 16, 8, 0].map((shift) => (source >>> shift) & 255).join('.'));
          value.destination = ip([24, 16, 8, 0].map((shift) => (destination >>> shift) & 255).join('.'));
          const bytes = new Uint8Array(offset + 100);
          emitIpv4(bytes, offset, value);
          expect(parseIpv4(bytes, offset)).toEqual(value);
        },
      ),
    );
  });

  it('leaves out what follows the datagram: Ethernet padding', () => {
    const view = new Ipv4View();
    const padded = new Uint8Array(46);
    padded.set(DATAGRAM);
    expect(view.read(padded, 0, 46)).toBeUndefined();
    expect([view.payloadOffset, view.payloadEnd]).toEqual([20, 24]);
  });

  it('skips options (RFC 1122 3.2.1.8)', () => {
    const bytes = hex('4600 001c 1234 4000 4011 0000 0a000002 0a000001 01010101 deadbeef');
    const sum = checksum(bytes, 0, 24);
    bytes[10] = sum >>> 8;
    bytes[11] = sum & 255;
    const view = new Ipv4View();
    expect(view.read(bytes, 0, 28)).toBeUndefined();
    expect([view.headerLength, view.payloadOffset, view.payloadEnd]).toEqual([24, 24, 28]);
  });

  it.each([
    ['RFC 1122 3.2.1.1: version 6', changed(0, 0x65), 24, 'ipv4-version'],
    ['a header of 16 octets', changed(0, 0x44), 24, 'ipv4-header-length'],
    ['a header longer than the frame', changed(0, 0x4f), 24, 'ipv4-header-length'],
    ['a total length less than the header', changed(3, 19), 24, 'ipv4-total-length'],
    ['a total length beyond the frame', changed(3, 25), 24, 'ipv4-total-length'],
    ['RFC 1122 3.2.1.2: a wrong header checksum', changed(8, 63), 24, 'ipv4-header-checksum'],
    ['19 octets', DATAGRAM, 19, 'ipv4-truncated'],
    ['an end beyond the storage', DATAGRAM, 25, 'ipv4-truncated'],
  ])('refuses %s', (_name, bytes, end, defect) => {
    expect(new Ipv4View().read(bytes, 0, end)).toBe(defect);
    expect(parseIpv4(bytes, 0, end)).toBeUndefined();
  });

  it('is read from a quotation that is cut off and whose checksum is stale', () => {
    const view = new Ipv4View();
    const quoted = changed(8, 1).subarray(0, 22);
    expect(view.readQuoted(quoted, 0, 22)).toBeUndefined();
    expect([view.totalLength, view.timeToLive, view.protocol]).toEqual([24, 1, 17]);
    expect(view.readQuoted(changed(3, 10), 0, 24)).toBe('ipv4-total-length');
    expect(view.readQuoted(changed(0, 0x65), 0, 24)).toBe('ipv4-version');
  });

  it('of a first fragment becomes that of the whole datagram', () => {
    const bytes = new Uint8Array(60);
    emitIpv4(bytes, 0, { ...header, moreFragments: true, totalLength: 28 });
    rewriteAsWhole(bytes, 0, 20, 60);
    expect(parseIpv4(bytes)).toEqual({ ...header, totalLength: 60 });
  });

  it('says what is a fragment', () => {
    const view = new Ipv4View();
    const bytes = new Uint8Array(24);
    const isFragment = (moreFragments: boolean, fragmentOffset: number): boolean => {
      emitIpv4(bytes, 0, { ...header, moreFragments, fragmentOffset });
      view.read(bytes, 0, 24);
      return view.isFragment;
    };
    expect(isFragment(false, 0)).toBe(false);
    expect(isFragment(true, 0)).toBe(true);
    expect(isFragment(false, 65_528)).toBe(true);
  });
});
