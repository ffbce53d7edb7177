import { SeededRandom } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { ArpError, PROBE_FAST, PROBE_RFC5227, type ProbeResult, type ProbeTiming } from '../src/index.js';
import {
  ANY,
  hex,
  ip,
  IP_A,
  IP_B,
  MAC_A,
  MAC_B,
  MAC_X,
  octets,
  reply,
  request,
  Segment,
  SERVICE,
  type Host,
  type HostOptions,
} from './segment.js';

function probing(host: Host, timing: ProbeTiming = PROBE_FAST, address = SERVICE) {
  const results: ProbeResult[] = [];
  const task = host.arp.probe(address, timing, (result) => results.push(result));
  return { results, task };
}

function setUp(options: HostOptions = {}) {
  const segment = new Segment();
  return { segment, a: segment.host(MAC_A, { address: IP_A, ...options }) };
}

describe('probe', () => {
  it('RFC 5227 2.1.1: a broadcast request with sender IP zero, octet for octet', () => {
    const { segment, a } = setUp();
    probing(a);
    segment.clock.advance(10);
    expect(hex(segment.seen[0]?.octets ?? new Uint8Array())).toBe(
      hex(
        octets(`ffffffffffff 02000000000a 0806 0001 0800 06 04 0001
          02000000000a 00000000 000000000000 0a4d000a ${'00'.repeat(18)}`),
      ),
    );
    expect(a.arp.counters.probesSent).toBe(1);
  });

  it.each([
    ['RFC 5227 1.1', PROBE_RFC5227],
    ['fast', PROBE_FAST],
  ])(
    '%s: PROBE_NUM probes after 0 to PROBE_WAIT, PROBE_MIN to PROBE_MAX apart, then ANNOUNCE_WAIT',
    (_, timing) => {
      const firsts = new Set<number>();
      for (let seed = 1; seed <= 50; seed++) {
        const { segment, a } = setUp({ random: new SeededRandom(seed) });
        const { results } = probing(a, timing);
        let endMs: number | undefined;
        while (endMs === undefined && segment.clock.now() < 10_000) {
          segment.clock.advance(
            segment.clock.nextDueMs === undefined ? 1 : segment.clock.nextDueMs - segment.clock.now(),
          );
          if (results.length > 0) endMs = segment.clock.now();
        }
        const times = segment.timesOf(a);
        expect(results).toEqual(['free']);
        expect(times).toHaveLength(timing.count);
        const [first = -1, second = -1, third = -1] = times;
        firsts.add(first);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(first).toBeLessThanOrEqual(timing.waitMs);
        for (const gapMs of [second - first, third - second]) {
          expect(gapMs).toBeGreaterThanOrEqual(timing.minMs);
          expect(gapMs).toBeLessThanOrEqual(timing.maxMs);
        }
        expect((endMs ?? 0) - third).toBeCloseTo(timing.announceWaitMs, 6);
      }
      expect(firsts.size).toBeGreaterThan(40);
    },
  );

  it('the fast preset ends within 120 ms', () => {
    const { segment, a } = setUp();
    const { results } = probing(a);
    segment.clock.advance(120);
    expect(results).toEqual(['free']);
  });

  it('RFC 5227 2.5: the holder answers a probe, and the address is in use', () => {
    const { segment, a } = setUp();
    const b = segment.host(MAC_B, { address: SERVICE });
    const { results } = probing(a);
    segment.clock.advance(200);
    expect(results).toEqual([{ conflict: MAC_B, by: 'holder', trusted: false }]);
    expect(segment.arpFrom(b).map((frame) => [frame.destination, frame.arp])).toEqual([
      [MAC_A.toString(), reply(MAC_B, SERVICE, MAC_A, ANY)],
    ]);
    // A probe is no conflict for the holder, and adds nobody to its cache.
    expect(b.conflicts).toEqual([]);
    expect(b.arp.neighbors()).toEqual([]);
    expect(b.arp.counters).toMatchObject({ probesReceived: 1, conflicts: 0, repliesSent: 1 });
    expect(a.conflicts).toEqual([{ address: SERVICE, mac: MAC_B, kind: 'probe', packets: 1 }]);
    // It stops at the first conflict.
    expect(segment.arpFrom(a)).toHaveLength(1);
  });

  it.each([
    ['request', request(MAC_X, SERVICE, IP_B)],
    ['reply', reply(MAC_X, SERVICE, MAC_B, IP_B)],
    ['announcement', request(MAC_X, SERVICE, SERVICE)],
  ])('RFC 5227 2.1.1: any %s from the address is a conflict', (_, packet) => {
    const { segment, a } = setUp();
    const { results } = probing(a);
    segment.inject(packet);
    segment.clock.advance(1);
    expect(results).toEqual([{ conflict: MAC_X, by: 'holder', trusted: false }]);
  });

  it('RFC 5227 2.1.1: a conflict counts until ANNOUNCE_WAIT after the last probe', () => {
    const { segment, a } = setUp();
    const { results } = probing(a, { waitMs: 0, count: 1, minMs: 0, maxMs: 0, announceWaitMs: 50 });
    segment.clock.advance(49.9);
    segment.inject(request(MAC_X, SERVICE, IP_B));
    segment.clock.advance(10);
    expect(results).toEqual([{ conflict: MAC_X, by: 'holder', trusted: false }]);
  });

  it('RFC 5227 2.1.1: of two hosts that probe at the same time at least one finds a conflict', () => {
    let both = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const segment = new Segment(2);
      const a = probing(segment.host(MAC_A, { random: new SeededRandom(seed) }));
      const b = probing(segment.host(MAC_B, { random: new SeededRandom(seed * 1000) }));
      segment.clock.advance(200);
      const outcomes = [...a.results, ...b.results];
      expect(outcomes).toHaveLength(2);
      // Who hears the other's probe before it has sent its own leaves the address to the other.
      const conflicts = outcomes.filter((each) => each !== 'free');
      expect(conflicts.length).toBeGreaterThanOrEqual(1);
      for (const each of conflicts) expect(each).toMatchObject({ by: 'prober', trusted: false });
      if (conflicts.length === 2) both++;
    }
    expect(both).toBeGreaterThan(0);
    expect(both).toBeLessThan(100);
  });

  it('own probes that come back are no conflict', () => {
    const { segment, a } = setUp();
    const { results } = probing(a);
    segment.clock.advance(10);
    const echo = segment.seen[0]?.octets ?? new Uint8Array();
    a.arp.receive(echo, 14, 60, MAC_A.value);
    segment.clock.advance(200);
    expect(results).toEqual(['free']);
    expect(a.arp.counters.rxDrops['arp-own-frame']).toBe(1);
  });

  it('a probe for another address is no conflict', () => {
    const { segment, a } = setUp();
    const { results } = probing(a);
    segment.inject(request(MAC_X, ANY, IP_B));
    segment.clock.advance(200);
    expect(results).toEqual(['free']);
  });

  it('a packet that is vouched for ends it too, but is reported as such and not as a conflict', () => {
    const { segment, a } = setUp({ isTrusted: () => true });
    const { results } = probing(a);
    segment.inject(request(MAC_X, SERVICE, SERVICE));
    segment.clock.advance(1);
    expect(results).toEqual([{ conflict: MAC_X, by: 'holder', trusted: true }]);
    expect(a.conflicts).toEqual([]);
    expect(a.arp.counters).toMatchObject({ trusted: 1, conflicts: 0 });
  });

  it('silence on a dead link is not taken for freedom', () => {
    const { segment, a } = setUp();
    a.port.unplug();
    const { results } = probing(a);
    segment.clock.advance(200);
    expect(results).toEqual(['unsent']);
    expect(a.arp.counters.sendFailures).toBe(3);
  });

  it('a late timer lets waiting input be read first', () => {
    const { segment, a } = setUp();
    const { results } = probing(a, { waitMs: 0, count: 1, minMs: 0, maxMs: 0, announceWaitMs: 50 });
    segment.clock.advance(0);
    // As after a stall: the answer arrives in the very turn in which the timer fires, behind it.
    segment.clock.setTimer(50, () => {
      segment.clock.defer(() => undefined);
    });
    segment.clock.advance(49.95);
    segment.inject(reply(MAC_X, SERVICE, MAC_A, ANY), MAC_A);
    segment.clock.advance(10);
    expect(results).toEqual([{ conflict: MAC_X, by: 'holder', trusted: false }]);
  });

  it('several probes run beside each other; each can be called off', () => {
    const { segment, a } = setUp();
    const one = probing(a);
    const two = probing(a, PROBE_FAST, ip('10.77.0.50'));
    const three = probing(a);
    three.task.cancel();
    segment.inject(request(MAC_X, SERVICE, SERVICE));
    segment.clock.advance(200);
    expect(one.results).toHaveLength(1);
    expect(two.results).toEqual(['free']);
    expect(three.results).toEqual([]);
  });

  it.each([
    { ...PROBE_FAST, count: 0 },
    { ...PROBE_FAST, count: 1.5 },
    { ...PROBE_FAST, minMs: 31 },
    { ...PROBE_FAST, waitMs: -1 },
    { ...PROBE_FAST, announceWaitMs: Infinity },
  ])('refuses the timing %o', (timing) => {
    const { a } = setUp();
    expect(() => probing(a, timing)).toThrow(ArpError);
    expect(() => probing(a, PROBE_FAST, ANY)).toThrow(ArpError);
  });
});
