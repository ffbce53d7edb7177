import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ANNOUNCE_RFC5227, ANNOUNCE_TAKEOVER, ArpEndpoint, ArpError } from '../src/index.js';
import {
  BROADCAST_TEXT,
  hex,
  IP_A,
  IP_B,
  ipv4Frame,
  MAC_A,
  MAC_B,
  MAC_C,
  octets,
  request,
  Segment,
  SERVICE,
} from './segment.js';

describe('announcements', () => {
  it('RFC 5227 2.3: a broadcast request with sender IP = target IP, octet for octet, padded to 60', () => {
    const segment = new Segment();
    const a = segment.host(MAC_A, { address: SERVICE });
    expect(a.arp.announce(SERVICE)).toBe(true);
    // The first one is sent within the call.
    expect(segment.seen.map((frame) => hex(frame.octets))).toEqual([
      hex(
        octets(`ffffffffffff 02000000000a 0806 0001 0800 06 04 0001
          02000000000a 0a4d000a 000000000000 0a4d000a ${'00'.repeat(18)}`),
      ),
    ]);
    expect(a.arp.counters.announcementsSent).toBe(1);
  });

  it('takeover preset: a quick burst, then a slow refresh on a grid', () => {
    const segment = new Segment();
    const a = segment.host(MAC_A, { address: SERVICE });
    segment.clock.advance(123);
    a.arp.announce(SERVICE, ANNOUNCE_TAKEOVER);
    segment.clock.advance(33_000);
    expect(segment.timesOf(a).map((timeMs) => timeMs - 123)).toEqual([
      0, 20, 60, 200, 600, 1500, 3000, 13_000, 23_000, 33_000,
    ]);
  });

  it('RFC 5227 2.3: ANNOUNCE_NUM announcements, ANNOUNCE_INTERVAL apart', () => {
    const segment = new Segment();
    const a = segment.host(MAC_A, { address: SERVICE });
    a.arp.announce(SERVICE, ANNOUNCE_RFC5227);
    segment.clock.advance(60_000);
    expect(segment.timesOf(a)).toEqual([0, 2000]);
    expect(segment.clock.pending).toBe(0);
  });

  it('a schedule without burst begins with the refresh', () => {
    const segment = new Segment();
    const a = segment.host(MAC_A, { address: SERVICE });
    a.arp.announce(SERVICE, { burstMs: [], refreshMs: 500 });
    segment.clock.advance(1600);
    expect(segment.timesOf(a)).toEqual([500, 1000, 1500]);
  });

  it('announcing again starts over, not twice', () => {
    const segment = new Segment();
    const a = segment.host(MAC_A, { address: SERVICE });
    a.arp.announce(SERVICE, { burstMs: [0, 100], refreshMs: 0 });
    segment.clock.advance(50);
    a.arp.announce(SERVICE, { burstMs: [0, 100], refreshMs: 0 });
    segment.clock.advance(1000);
    expect(segment.timesOf(a)).toEqual([0, 50, 150]);
  });

  it('takeover: the neighbours send to the new holder from the first announcement on', () => {
    const segment = new Segment();
    const a = segment.host(MAC_A, { address: SERVICE });
    const b = segment.host(MAC_B);
    const client = segment.host(MAC_C, { address: IP_A });
    client.arp.transmit(SERVICE.value, ipv4Frame(client, IP_A), 60);
    segment.clock.advance(1);
    expect(client.arp.lookup(SERVICE.value)).toBe(MAC_A.value);
    a.port.unplug();
    b.arp.addAddress(SERVICE);
    b.arp.announce(SERVICE);
    segment.clock.advance(0.1);
    expect(client.arp.lookup(SERVICE.value)).toBe(MAC_B.value);
    client.arp.transmit(SERVICE.value, ipv4Frame(client, IP_A, 5), 60);
    segment.clock.advance(0.1);
    expect(b.data.map((frame) => frame[59])).toEqual([5]);
  });

  it('after a stall sends one, does not make up for those missed, and keeps to the grid', () => {
    const segment = new Segment();
    let lateMs = 0;
    const { clock } = segment;
    // A clock whose timers are held back while the process is "stopped" until lateMs.
    const stalling = {
      now: () => clock.now(),
      wallTime: () => clock.wallTime(),
      defer: (callback: () => void) => clock.defer(callback),
      setTimer: (delayMs: number, callback: () => void) =>
        clock.setTimer(Math.max(delayMs, lateMs - clock.now()), callback),
    };
    const a = segment.host(MAC_A, { address: SERVICE, clock: stalling });
    lateMs = 25_000;
    a.arp.announce(SERVICE, { burstMs: [0, 20, 60], refreshMs: 10_000 });
    segment.clock.advance(40_000);
    expect(segment.timesOf(a)).toEqual([0, 25_000, 30_060]);
  });

  it('property: the refresh keeps its distance, whatever fractions of milliseconds are involved', () => {
    const fraction = fc.double({ min: 10, max: 1000, noNaN: true });
    fc.assert(
      fc.property(fraction, fraction, fraction, (startMs, lastMs, refreshMs) => {
        const segment = new Segment();
        const a = segment.host(MAC_A, { address: SERVICE });
        segment.clock.advance(startMs);
        a.arp.announce(SERVICE, { burstMs: [0, lastMs], refreshMs });
        segment.clock.advance(lastMs + 50.5 * refreshMs);
        const times = segment.timesOf(a);
        expect(times).toHaveLength(52);
        for (let index = 2; index < times.length; index++) {
          expect((times[index] as number) - (times[index - 1] as number)).toBeCloseTo(refreshMs, 6);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('a timer that fires early waits for the rest', () => {
    const segment = new Segment();
    const { clock } = segment;
    const hasty = {
      now: () => clock.now(),
      wallTime: () => clock.wallTime(),
      defer: (callback: () => void) => clock.defer(callback),
      setTimer: (delayMs: number, callback: () => void) => clock.setTimer(Math.floor(delayMs), callback),
    };
    const a = segment.host(MAC_A, { address: SERVICE, clock: hasty });
    clock.advance(0.5);
    a.arp.announce(SERVICE, { burstMs: [0, 20], refreshMs: 0 });
    clock.advance(20);
    expect(segment.timesOf(a)).toEqual([0.5, 20.5]);
  });

  it('only addresses of ours are announced', () => {
    const segment = new Segment();
    const a = segment.host(MAC_A, { address: IP_A });
    expect(a.arp.announce(SERVICE)).toBe(false);
    expect(segment.seen).toEqual([]);
  });

  it.each([
    { burstMs: [10, 5], refreshMs: 0 },
    { burstMs: [-1], refreshMs: 0 },
    { burstMs: [Number.NaN], refreshMs: 0 },
    { burstMs: [Infinity], refreshMs: 0 },
    { burstMs: [0], refreshMs: 1 },
    { burstMs: [0], refreshMs: Number.NaN },
    { burstMs: [0], refreshMs: Infinity },
  ])('refuses the schedule $burstMs, $refreshMs', (schedule) => {
    const a = new Segment().host(MAC_A, { address: SERVICE });
    expect(() => a.arp.announce(SERVICE, schedule)).toThrow(ArpError);
  });
});

describe('trailer', () => {
  const TRAILER = new Uint8Array([0xca, 0xfe, 0x01]);

  it('follows the body of announcements, defences and probes, and of nothing else', () => {
    const segment = new Segment();
    const kinds: string[] = [];
    const bodies: string[] = [];
    const a = segment.host(MAC_A, {
      address: SERVICE,
      trailer: (body, kind) => {
        kinds.push(kind);
        bodies.push(hex(body));
        return TRAILER;
      },
    });
    a.arp.announce(SERVICE, { burstMs: [0], refreshMs: 0 });
    segment.inject(request(MAC_C, SERVICE, SERVICE), undefined, MAC_C);
    a.arp.probe(IP_B, { waitMs: 0, count: 1, minMs: 0, maxMs: 0, announceWaitMs: 1 }, () => undefined);
    segment.inject(request(MAC_C, IP_A, SERVICE), undefined, MAC_C);
    a.arp.transmit(IP_B.value, ipv4Frame(a, SERVICE), 60);
    segment.clock.advance(10);
    expect(kinds).toEqual(['announcement', 'probe', 'defence']);
    const mine = segment.arpFrom(a).map((frame) => hex(frame.octets));
    const signed = mine.filter((frame) => frame.slice(84, 90) === 'cafe01');
    expect(signed.map((frame) => frame.slice(28, 84))).toEqual(bodies);
    expect(signed.map((frame) => frame.slice(90))).toEqual(Array(3).fill('00'.repeat(15)));
    // The buffer is used again: no trailer is left behind in a reply or a request.
    expect(mine.filter((frame) => frame.slice(84) === '00'.repeat(18))).toHaveLength(2);
    expect(segment.arpFrom(a)[0]?.destination).toBe(BROADCAST_TEXT);
  });

  it('may be longer than the padding, up to the MTU', () => {
    const segment = new Segment();
    let trailer = new Uint8Array(1500 - 28).fill(7);
    const a = segment.host(MAC_A, { address: SERVICE, trailer: () => trailer });
    a.arp.announce(SERVICE, { burstMs: [0], refreshMs: 0 });
    trailer = new Uint8Array(1500 - 27);
    a.arp.announce(SERVICE, { burstMs: [0], refreshMs: 0 });
    expect(segment.seen.map((frame) => frame.octets.length)).toEqual([1514, 60]);
    expect(hex(segment.seen[1]?.octets.subarray(42) ?? new Uint8Array())).toBe('00'.repeat(18));
    expect(a.arp.counters.trailersOmitted).toBe(1);
  });

  it('may be left out', () => {
    const segment = new Segment();
    const a = segment.host(MAC_A, { address: SERVICE, trailer: () => undefined });
    a.arp.announce(SERVICE, { burstMs: [0], refreshMs: 0 });
    expect(segment.seen[0]?.octets.length).toBe(60);
  });
});

it('an endpoint needs no more than a device and a clock', () => {
  const segment = new Segment();
  const arp = new ArpEndpoint({ device: segment.port(MAC_A), clock: segment.clock });
  arp.addAddress(SERVICE);
  expect(arp.announce(SERVICE)).toBe(true);
});
