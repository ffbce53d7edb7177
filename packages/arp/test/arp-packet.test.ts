import { Ipv4Address, MacAddress } from '@rfsis/link';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ARP_OCTETS, ArpOperation, ArpView, emitArp, parseArp, type ArpPacket } from '../src/index.js';
import { hex, ip, MAC_A, mac, octets } from './segment.js';

const REQUEST = octets(`
  0001 0800 06 04 0001
  02000000000a 0a4d000b
  000000000000 0a4d000c`);

const anyPacket = fc.record({
  operation: fc.integer({ min: 0, max: 0xffff }),
  senderMac: fc.integer({ min: 0, max: 0xffff_ffff_ffff }).map((value) => MacAddress.fromNumber(value)),
  senderIp: fc.integer({ min: 0, max: 0xffff_ffff }).map((value) => Ipv4Address.fromNumber(value)),
  targetMac: fc.integer({ min: 0, max: 0xffff_ffff_ffff }).map((value) => MacAddress.fromNumber(value)),
  targetIp: fc.integer({ min: 0, max: 0xffff_ffff }).map((value) => Ipv4Address.fromNumber(value)),
});

describe('ARP packet', () => {
  it('RFC 826: emits hardware, protocol, lengths, operation, sender and target in this order', () => {
    const bytes = new Uint8Array(ARP_OCTETS + 4).fill(0xee);
    const packet: ArpPacket = {
      operation: ArpOperation.request,
      senderMac: MAC_A,
      senderIp: ip('10.77.0.11'),
      targetMac: MacAddress.ZERO,
      targetIp: ip('10.77.0.12'),
    };
    expect(emitArp(bytes, 2, packet)).toBe(2 + ARP_OCTETS);
    expect(hex(bytes)).toBe(`eeee${hex(REQUEST)}eeee`);
  });

  it('reads through the view and tells where the trailer begins', () => {
    const bytes = new Uint8Array([9, 9, 9, ...REQUEST, 1, 2, 3]);
    const view = new ArpView();
    expect(view.read(bytes, 3, bytes.length)).toBeUndefined();
    expect(view.operation).toBe(ArpOperation.request);
    expect(view.senderMac).toBe(0x0200_0000_000a);
    expect(view.senderIp).toBe(0x0a4d_000b);
    expect(view.targetMac).toBe(0);
    expect(view.targetIp).toBe(0x0a4d_000c);
    expect(view.trailerOffset).toBe(3 + ARP_OCTETS);
  });

  it('parses a value', () => {
    expect(parseArp(REQUEST)).toEqual({
      operation: 1,
      senderMac: mac('02:00:00:00:00:0a'),
      senderIp: ip('10.77.0.11'),
      targetMac: mac('00:00:00:00:00:00'),
      targetIp: ip('10.77.0.12'),
    });
  });

  it.each([
    ['arp-truncated', REQUEST.subarray(0, 27)],
    ['arp-truncated', new Uint8Array(0)],
    ['arp-hardware-type', octets(`0006${hex(REQUEST).slice(4)}`)],
    ['arp-protocol-type', octets(`000186dd${hex(REQUEST).slice(8)}`)],
    ['arp-address-length', octets(`000108000804${hex(REQUEST).slice(12)}`)],
    ['arp-address-length', octets(`000108000610${hex(REQUEST).slice(12)}`)],
  ])('RFC 826 packet reception: %s', (defect, bytes) => {
    expect(new ArpView().read(bytes, 0, bytes.length)).toBe(defect);
    expect(parseArp(bytes)).toBeUndefined();
  });

  it('does not read past the end it is given, nor past the octets there are', () => {
    const bytes = new Uint8Array([...REQUEST, ...REQUEST]);
    expect(new ArpView().read(bytes, 1, ARP_OCTETS)).toBe('arp-truncated');
    expect(new ArpView().read(REQUEST, 0, 1000)).toBe('arp-truncated');
    expect(new ArpView().read(REQUEST, 10, 5)).toBe('arp-truncated');
  });

  it('property: what is emitted is parsed again', () => {
    fc.assert(
      fc.property(anyPacket, fc.nat(20), (packet, offset) => {
        const bytes = new Uint8Array(offset + ARP_OCTETS);
        emitArp(bytes, offset, packet);
        expect(parseArp(bytes, offset)).toEqual(packet);
      }),
    );
  });

  it('property: any octets are parsed or refused, never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(70), fc.nat(70), (bytes, offset, end) => {
        const packet = parseArp(bytes, offset, end);
        if (packet === undefined) return;
        const again = new Uint8Array(ARP_OCTETS);
        emitArp(again, 0, packet);
        expect(hex(again)).toBe(hex(bytes.subarray(offset, offset + ARP_OCTETS)));
      }),
      { numRuns: 2000 },
    );
  });
});
