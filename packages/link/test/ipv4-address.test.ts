import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ipv4Address, Ipv4Cidr, LinkError, formatIpv4, isMulticastIpv4 } from '../src/index.js';

const anyAddress = fc.integer({ min: 0, max: 0xffff_ffff }).map((value) => Ipv4Address.fromNumber(value));

describe('Ipv4Address', () => {
  it('parses dotted decimal', () => {
    expect(Ipv4Address.parse('10.77.0.10').value).toBe(0x0a4d_000a);
    expect(Ipv4Address.parse('255.255.255.255').equals(Ipv4Address.BROADCAST)).toBe(true);
    expect(Ipv4Address.parse('0.0.0.0').equals(Ipv4Address.ANY)).toBe(true);
  });

  it.each([
    '',
    '10.77.0',
    '10.77.0.10.1',
    '10.77.0.256',
    '010.77.0.10',
    '10.77.0.',
    '10.77.0.-1',
    '0x0a.1.1.1',
    '10.77.0.1e1',
    '10.77.0.10 ',
    '10.77.0.1000',
    'localhost',
  ])('refuses %j, and says what is expected', (text) => {
    expect(() => Ipv4Address.parse(text)).toThrow(LinkError);
    expect(() => Ipv4Address.parse(text)).toThrow(/expected four decimal octets like/);
  });

  it('survives text, octets and JSON', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        expect(Ipv4Address.parse(address.toString()).value).toBe(address.value);
        const bytes = new Uint8Array(7);
        address.writeTo(bytes, 3);
        expect(Ipv4Address.fromOctets(bytes, 3).value).toBe(address.value);
        expect(JSON.stringify(address)).toBe(`"${formatIpv4(address.value)}"`);
      }),
    );
  });

  it('takes the low 32 bits of a number', () => {
    expect(Ipv4Address.fromNumber(-1).value).toBe(0xffff_ffff);
    expect(Ipv4Address.fromNumber(0x0a00_0001 | 0).toString()).toBe('10.0.0.1');
  });

  it('tells multicast and loopback', () => {
    expect(Ipv4Address.parse('224.0.0.1').isMulticast).toBe(true);
    expect(Ipv4Address.parse('239.255.255.255').isMulticast).toBe(true);
    expect(Ipv4Address.parse('223.255.255.255').isMulticast).toBe(false);
    expect(Ipv4Address.parse('240.0.0.0').isMulticast).toBe(false);
    expect(isMulticastIpv4(0xe000_0000)).toBe(true);
    expect(Ipv4Address.parse('127.1.2.3').isLoopback).toBe(true);
    expect(Ipv4Address.parse('128.0.0.1').isLoopback).toBe(false);
  });
});

describe('Ipv4Cidr', () => {
  it('parses an address with its prefix', () => {
    const cidr = Ipv4Cidr.parse('10.77.0.10/24');
    expect(cidr.address.toString()).toBe('10.77.0.10');
    expect(cidr.prefixLength).toBe(24);
    expect(cidr.mask).toBe(0xffff_ff00);
    expect(cidr.network.toString()).toBe('10.77.0.0');
    expect(cidr.broadcast.toString()).toBe('10.77.0.255');
    expect(cidr.toString()).toBe('10.77.0.10/24');
    expect(JSON.stringify(cidr)).toBe('"10.77.0.10/24"');
  });

  it.each([
    '10.77.0.10',
    '10.77.0.10/',
    '10.77.0.10/33',
    '10.77.0.10/-1',
    '10.77.0.10/08',
    '/24',
    '10.77.0/24',
    '10.77.0.10/24/8',
    '10.77.0.10/2.5',
  ])('refuses %j', (text) => {
    expect(() => Ipv4Cidr.parse(text)).toThrow(/expected one like 10\.77\.0\.10\/24/);
  });

  it.each([-1, 33, 1.5, Number.NaN])('refuses the prefix length %d', (length) => {
    expect(() => new Ipv4Cidr(Ipv4Address.ANY, length)).toThrow(
      expect.objectContaining({ code: 'RFSIS_LINK_ADDRESS_INVALID' }),
    );
  });

  it('contains its network, from /0 to /32', () => {
    fc.assert(
      fc.property(anyAddress, anyAddress, fc.integer({ min: 0, max: 32 }), (address, other, length) => {
        const cidr = new Ipv4Cidr(address, length);
        const bits = (value: Ipv4Address): string =>
          value.value.toString(2).padStart(32, '0').slice(0, length);
        expect(cidr.contains(other)).toBe(bits(address) === bits(other));
        expect(cidr.contains(address)).toBe(true);
        expect(cidr.contains(cidr.network)).toBe(true);
        expect(cidr.contains(cidr.broadcast)).toBe(true);
      }),
    );
  });

  it('RFC 3021: has no broadcast address of its own with /31 and /32', () => {
    expect(Ipv4Cidr.parse('10.0.0.0/31').broadcast.toString()).toBe('10.0.0.0');
    expect(Ipv4Cidr.parse('10.0.0.7/32').broadcast.toString()).toBe('10.0.0.7');
    expect(Ipv4Cidr.parse('10.0.0.5/30').broadcast.toString()).toBe('10.0.0.7');
    expect(Ipv4Cidr.parse('10.0.0.5/0').broadcast.toString()).toBe('255.255.255.255');
  });
});
