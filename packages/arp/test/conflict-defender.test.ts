import { describe, expect, it } from 'vitest';
import {
  hex,
  IP_A,
  IP_B,
  IP_C,
  ipv4Frame,
  MAC_A,
  MAC_B,
  MAC_C,
  MAC_X,
  octets,
  reply,
  request,
  Segment,
  SERVICE,
  type HostOptions,
} from './segment.js';

function setUp(options: HostOptions = {}) {
  const segment = new Segment();
  return { segment, a: segment.host(MAC_A, { address: SERVICE, ...options }) };
}

const CLAIM = request(MAC_X, SERVICE, SERVICE);

describe('conflicts', () => {
  it('RFC 5227 2.4 (c): answers a conflict with one announcement, octet for octet, and reports it', () => {
    const { segment, a } = setUp();
    segment.inject(CLAIM);
    segment.clock.advance(1);
    expect(segment.arpFrom(a).map((frame) => hex(frame.octets))).toEqual([
      hex(
        octets(`ffffffffffff 02000000000a 0806 0001 0800 06 04 0001
          02000000000a 0a4d000a 000000000000 0a4d000a ${'00'.repeat(18)}`),
      ),
    ]);
    expect(a.conflicts).toEqual([{ address: SERVICE, mac: MAC_X, kind: 'ongoing', packets: 1 }]);
    expect(a.arp.counters).toMatchObject({
      conflicts: 1,
      defencesSent: 1,
      announcementsSent: 0,
      repliesSent: 0,
    });
  });

  it.each([
    ['request for another', request(MAC_X, SERVICE, IP_B)],
    ['reply to another', reply(MAC_X, SERVICE, MAC_B, IP_B)],
    ['gratuitous reply', reply(MAC_X, SERVICE, MAC_X, SERVICE)],
  ])('RFC 5227 2.4: a %s from our address is a conflict', (_, packet) => {
    const { segment, a } = setUp();
    segment.inject(packet);
    segment.clock.advance(1);
    expect(a.conflicts).toHaveLength(1);
    expect(segment.arpFrom(a)).toHaveLength(1);
  });

  it('RFC 5227 2.4 (c): no second defence within DEFEND_INTERVAL; one at its end when the rival went on', () => {
    const { segment, a } = setUp();
    for (let count = 0; count < 25; count++) {
      segment.inject(CLAIM);
      segment.clock.advance(1000);
    }
    expect(segment.timesOf(a)).toEqual([0.05, 10_000.05, 20_000.05]);
    expect(a.conflicts.map((conflict) => conflict.packets)).toEqual([1, 9, 10]);
    expect(a.arp.counters).toMatchObject({ conflicts: 25, defencesSent: 3 });
    segment.clock.advance(60_000);
    expect(segment.timesOf(a)).toHaveLength(4);
    expect(segment.clock.pending).toBe(0);
  });

  it('two stubborn hosts do not flood the segment', () => {
    const segment = new Segment();
    const a = segment.host(MAC_A, { address: SERVICE, defendIntervalMs: 1000 });
    const b = segment.host(MAC_B, { address: SERVICE, defendIntervalMs: 1000 });
    a.arp.announce(SERVICE, { burstMs: [0], refreshMs: 0 });
    segment.clock.advance(10_000);
    expect(segment.arpFrom(a).length).toBeLessThanOrEqual(12);
    expect(segment.arpFrom(b).length).toBeLessThanOrEqual(12);
  });

  it('the neighbours come back to us within the interval, whatever the rival does', () => {
    const { segment, a } = setUp({ defendIntervalMs: 1000 });
    const client = segment.host(MAC_C, { address: IP_C });
    client.arp.transmit(SERVICE.value, ipv4Frame(client, IP_C), 60);
    segment.clock.advance(1);
    for (const waitMs of [300, 300, 1500]) {
      segment.inject(CLAIM);
      segment.clock.advance(waitMs);
    }
    expect(client.arp.lookup(SERVICE.value)).toBe(MAC_A.value);
    expect(a.arp.counters.defencesSent).toBe(2);
  });

  it('a conflict never enters the cache, and gets no reply', () => {
    const { segment, a } = setUp();
    a.arp.addAddress(IP_A);
    segment.inject(request(MAC_X, SERVICE, IP_A));
    segment.clock.advance(1);
    expect(a.arp.neighbors()).toEqual([]);
    expect(a.arp.counters.repliesSent).toBe(0);
  });

  it('RFC 5227 2.4: packets of our own that come back are none', () => {
    const { segment, a } = setUp();
    segment.inject(request(MAC_A, SERVICE, SERVICE), undefined, MAC_X);
    segment.inject(request(MAC_X, SERVICE, SERVICE), undefined, MAC_A);
    segment.clock.advance(1);
    expect(a.conflicts).toEqual([]);
    expect(a.arp.counters.rxDrops['arp-own-frame']).toBe(2);
  });

  it('each address has an interval of its own', () => {
    const { segment, a } = setUp();
    a.arp.addAddress(IP_A);
    segment.inject(CLAIM);
    segment.inject(request(MAC_X, IP_A, IP_A));
    segment.clock.advance(1);
    expect(a.conflicts.map((conflict) => conflict.address.toString())).toEqual(['10.77.0.10', '10.77.0.11']);
  });

  it('what isTrusted vouches for is neither a conflict nor defended against; it is shown the whole packet', () => {
    const shown: string[] = [];
    const { segment, a } = setUp({
      isTrusted: (bytes, offset, end) => {
        shown.push(hex(bytes.subarray(offset, end)));
        return true;
      },
    });
    segment.inject(CLAIM);
    // Not asked about packets that claim nothing of ours.
    segment.inject(request(MAC_X, IP_B, IP_C));
    segment.clock.advance(1);
    expect(shown).toEqual([
      hex(octets(`0001080006040001 020000000066 0a4d000a 000000000000 0a4d000a ${'00'.repeat(18)}`)),
    ]);
    expect(a.conflicts).toEqual([]);
    expect(segment.arpFrom(a)).toEqual([]);
    expect(a.arp.counters).toMatchObject({ trusted: 1, conflicts: 0, defencesSent: 0 });
  });

  it('the one who reports may give the address up at once', () => {
    const segment = new Segment();
    const a = segment.host(MAC_A, {
      address: SERVICE,
      onConflict: () => {
        a.arp.removeAddress(SERVICE);
      },
    });
    segment.inject(CLAIM);
    segment.inject(CLAIM);
    segment.clock.advance(60_000);
    expect(segment.arpFrom(a)).toHaveLength(1);
    expect(segment.clock.pending).toBe(0);
  });
});
