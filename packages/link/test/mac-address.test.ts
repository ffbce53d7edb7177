import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinkError, MacAddress, isGroupMac } from '../src/index.js';

const anyMac = fc.integer({ min: 0, max: 0xffff_ffff_ffff }).map((value) => MacAddress.fromNumber(value));

describe('MacAddress', () => {
  it('parses colons and hyphens, in either case', () => {
    expect(MacAddress.parse('02:00:5e:10:00:0f').value).toBe(0x0200_5e10_000f);
    expect(MacAddress.parse('02-00-5E-10-00-0F').value).toBe(0x0200_5e10_000f);
  });

  it.each([
    '',
    '02:00:5e:10:00',
    '02:00:5e:10:00:01:02',
    '02:00-5e:10:00:01',
    '2:0:5e:10:0:1',
    '02005e100001',
    '02:00:5e:10:00:0g',
    ' 02:00:5e:10:00:01',
    '02:00:5e:10:00:01\n',
  ])('refuses %j, and says what is expected', (text) => {
    expect(() => MacAddress.parse(text)).toThrow(LinkError);
    expect(() => MacAddress.parse(text)).toThrow(/expected six hexadecimal octets like/);
  });

  it.each([-1, 0x1_0000_0000_0000, 1.5, Number.NaN])('refuses the number %d', (value) => {
    expect(() => MacAddress.fromNumber(value)).toThrow(
      expect.objectContaining({ code: 'RFSIS_LINK_ADDRESS_INVALID' }),
    );
  });

  it('survives text, octets and JSON', () => {
    fc.assert(
      fc.property(anyMac, fc.integer({ min: 0, max: 9 }), (mac, offset) => {
        expect(MacAddress.parse(mac.toString()).equals(mac)).toBe(true);
        const bytes = new Uint8Array(16);
        mac.writeTo(bytes, offset);
        expect(MacAddress.fromOctets(bytes, offset).value).toBe(mac.value);
        expect(JSON.parse(JSON.stringify({ mac }))).toEqual({ mac: mac.toString() });
      }),
    );
  });

  it('reads the group and the local bit of the first octet', () => {
    expect(MacAddress.BROADCAST.isGroup).toBe(true);
    expect(MacAddress.parse('01:00:5e:00:00:01').isGroup).toBe(true);
    expect(MacAddress.parse('00:01:01:01:01:01').isGroup).toBe(false);
    expect(MacAddress.parse('02:00:00:00:00:00').isLocal).toBe(true);
    expect(MacAddress.parse('fd:ff:ff:ff:ff:ff').isLocal).toBe(false);
    expect(isGroupMac(0x0100_0000_0000)).toBe(true);
    expect(isGroupMac(0xfeff_ffff_ffff)).toBe(false);
  });

  it('pads its text', () => {
    expect(MacAddress.ZERO.toString()).toBe('00:00:00:00:00:00');
    expect(MacAddress.fromNumber(0xa).toString()).toBe('00:00:00:00:00:0a');
  });
});
