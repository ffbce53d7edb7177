import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitIcmp, type IcmpMessage, IcmpView, isIcmpError, parseIcmp } from '../../src/icmp/message.js';
import { hex } from '../network.js';

/** Echo request, identifier 0x1234, sequence 5, data "abc". */
const ECHO = hex('0800 2164 1234 0005 616263');

describe('ICMP message', () => {
  it('is read and written octet by octet (RFC 792)', () => {
    const message: IcmpMessage = { type: 8, code: 0, rest: 0x1234_0005, data: hex('616263') };
    const bytes = new Uint8Array(11);
    expect(emitIcmp(bytes, 0, message)).toBe(11);
    expect(bytes).toEqual(ECHO);
    expect(parseIcmp(ECHO)).toEqual(message);
    const view = new IcmpView();
    expect(view.read(ECHO, 0, 11)).toBeUndefined();
    expect([view.type, view.code, view.identifier, view.sequence]).toEqual([8, 0, 0x1234, 5]);
  });

  it('has the next-hop MTU in its second word (RFC 1191 4)', () => {
    const bytes = new Uint8Array(8);
    emitIcmp(bytes, 0, { type: 3, code: 4, rest: 1400, data: new Uint8Array(0) });
    const view = new IcmpView();
    view.read(bytes, 0, 8);
    expect(view.nextHopMtu).toBe(1400);
  });

  it('comes back from its octets', () => {
    fc.assert(
      fc.property(
        fc.nat(255),
        fc.nat(255),
        fc.integer({ min: 0, max: 0xffff_ffff }),
        fc.uint8Array({ maxLength: 100 }),
        fc.nat(3),
        (type, code, rest, data, offset) => {
          const bytes = new Uint8Array(offset + 8 + data.length);
          emitIcmp(bytes, offset, { type, code, rest, data });
          expect(parseIcmp(bytes, offset)).toEqual({ type, code, rest, data });
        },
      ),
    );
  });

  it('is refused when it is too short or its checksum is wrong', () => {
    expect(new IcmpView().read(ECHO, 0, 7)).toBe('icmp-truncated');
    expect(new IcmpView().read(ECHO, 0, 12)).toBe('icmp-truncated');
    const bad = ECHO.slice();
    bad[8] = 0;
    expect(new IcmpView().read(bad, 0, 11)).toBe('icmp-checksum');
    expect(new IcmpView().read(bad, 0, 11, true)).toBeUndefined();
    expect(parseIcmp(bad)).toBeUndefined();
  });

  it('RFC 1122 3.2.2: is an error when its type is one of five', () => {
    expect(Array.from({ length: 256 }, (_, type) => type).filter(isIcmpError)).toEqual([3, 4, 5, 11, 12]);
  });
});
