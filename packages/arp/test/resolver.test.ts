// The resolver as seen from outside: transmit, lookup, resolve, learn, confirm of ArpEndpoint.
import { type MacAddress } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { ArpOperation } from '../src/index.js';
import {
  ANY,
  BROADCAST_TEXT,
  hex,
  ip,
  IP_A,
  IP_B,
  IP_C,
  ipv4Frame,
  MAC_A,
  MAC_B,
  MAC_C,
  MAC_X,
  mac,
  NOBODY,
  octets,
  reply,
  request,
  Segment,
  SERVICE,
  type Host,
  type HostOptions,
} from './segment.js';

function pair(options: HostOptions = {}): { segment: Segment; a: Host; b: Host } {
  const segment = new Segment();
  const a = segment.host(MAC_A, { address: IP_A, ...options });
  const b = segment.host(MAC_B, { address: IP_B });
  return { segment, a, b };
}

function send(host: Host, nextHop = IP_B, source = IP_A, marker = 1): string {
  return host.arp.transmit(nextHop.value, ipv4Frame(host, source, marker), 60);
}

function stateOf(host: Host, address = IP_B): string | undefined {
  return host.arp.neighbors().find((each) => each.address.equals(address))?.state;
}

describe('transmit', () => {
  it('RFC 826: asks by broadcast, is answered by unicast, octet for octet; then the held frame goes', () => {
    const { segment, a, b } = pair();
    expect(send(a)).toBe('held');
    segment.clock.advance(1);
    expect(segment.seen.map((frame) => hex(frame.octets))).toEqual([
      hex(
        octets(`ffffffffffff 02000000000a 0806 0001 0800 06 04 0001
          02000000000a 0a4d000b 000000000000 0a4d000c ${'00'.repeat(18)}`),
      ),
      hex(
        octets(`02000000000a 02000000000b 0806 0001 0800 06 04 0002
          02000000000b 0a4d000c 02000000000a 0a4d000b ${'00'.repeat(18)}`),
      ),
      `02000000000b${hex(ipv4Frame(a, IP_A, 1)).slice(12)}`,
    ]);
    expect(b.data).toHaveLength(1);
    expect(a.arp.counters).toMatchObject({ requestsSent: 1, resolved: 1, held: 1 });
    expect(b.arp.counters).toMatchObject({ requestsReceived: 1, repliesSent: 1 });
  });

  it('RFC 826: the one who is asked learns the asker and needs no request back', () => {
    const { segment, a, b } = pair();
    send(a);
    segment.clock.advance(1);
    expect(b.arp.lookup(IP_A.value)).toBe(MAC_A.value);
    expect(b.arp.transmit(IP_A.value, ipv4Frame(b, IP_B), 60)).toBe('sent');
    segment.clock.advance(1);
    expect(a.data).toHaveLength(1);
    expect(segment.arpFrom()).toHaveLength(2);
  });

  it('fills in six octets and sends at once when the neighbour is known', () => {
    const { segment, a, b } = pair();
    a.arp.learn(IP_B, MAC_B);
    const frame = new Uint8Array(100);
    frame.set(ipv4Frame(a, IP_A, 3));
    expect(a.arp.transmit(IP_B.value, frame, 60)).toBe('sent');
    expect(hex(frame.subarray(0, 6))).toBe('02000000000b');
    segment.clock.advance(1);
    expect(b.data[0]?.length).toBe(60);
    // The whole buffer when no length is given.
    expect(a.arp.transmit(IP_B.value, frame)).toBe('sent');
    expect(segment.seen.at(-1)?.octets.length).toBe(100);
  });

  it('RFC 1122 2.3.2.2: keeps the latest frames for an unresolved address', () => {
    const { segment, a, b } = pair({ heldFrames: 2 });
    for (const marker of [1, 2, 3]) expect(send(a, IP_B, IP_A, marker)).toBe('held');
    segment.clock.advance(1);
    expect(b.data.map((frame) => frame[59])).toEqual([2, 3]);
    expect(a.arp.counters.txDrops['hold-overflow']).toBe(1);
    expect(segment.arpFrom(a)).toHaveLength(1);
  });

  it('RFC 1122 2.3.2.1: at most one request a second for an address, however many frames', () => {
    const { segment, a } = pair();
    for (let count = 0; count < 10_000; count++) {
      send(a, NOBODY);
      segment.clock.advance(1);
    }
    const times = segment.timesOf(a);
    expect(times.length).toBeGreaterThan(5);
    for (const [index, timeMs] of times.entries()) {
      if (index > 0) expect(timeMs - (times[index - 1] as number)).toBeGreaterThanOrEqual(1000);
    }
  });

  it('gives up after three requests, hands the frames back, then drops at once until it tries again', () => {
    const { segment, a } = pair();
    send(a, NOBODY, IP_A, 1);
    send(a, NOBODY, IP_A, 2);
    segment.clock.advance(2999);
    expect(segment.timesOf(a)).toEqual([0, 1000, 2000]);
    expect(a.unresolved).toEqual([]);
    segment.clock.advance(1);
    expect(a.unresolved).toHaveLength(1);
    expect(a.unresolved[0]?.address.equals(NOBODY)).toBe(true);
    expect(a.unresolved[0]?.frames.map((frame) => frame[59])).toEqual([1, 2]);
    expect(stateOf(a, NOBODY)).toBe('failed');
    expect(send(a, NOBODY)).toBe('dropped');
    expect(a.arp.counters.txDrops['neighbor-failed']).toBe(1);
    expect(a.arp.counters.txDrops['neighbor-unresolved']).toBe(2);
    expect(a.arp.counters.unresolved).toBe(1);
    segment.clock.advance(1000);
    expect(send(a, NOBODY)).toBe('held');
    expect(segment.timesOf(a)).toEqual([0, 1000, 2000, 4000]);
  });

  it('refuses next hops that are no other host', () => {
    const { segment, a } = pair();
    for (const nextHop of [
      ANY,
      ip('0.1.2.3'),
      ip('127.0.0.1'),
      ip('224.0.0.1'),
      ip('255.255.255.255'),
      IP_A,
    ]) {
      expect(send(a, nextHop)).toBe('dropped');
    }
    expect(a.arp.counters.txDrops['next-hop-invalid']).toBe(6);
    expect(segment.seen).toEqual([]);
  });

  it('counts frames that are too short, too long, or refused by the device', () => {
    const { segment, a } = pair();
    a.arp.learn(IP_B, MAC_B);
    expect(a.arp.transmit(IP_B.value, new Uint8Array(60), 13)).toBe('dropped');
    expect(a.arp.transmit(IP_B.value, new Uint8Array(60), 61)).toBe('dropped');
    expect(a.arp.counters.txDrops['frame-length']).toBe(2);
    expect(a.arp.transmit(IP_B.value, new Uint8Array(2000))).toBe('dropped');
    a.port.unplug();
    expect(send(a)).toBe('dropped');
    expect(a.arp.counters.txDrops['device-refused']).toBe(2);
    expect(send(a, NOBODY)).toBe('held');
    expect(a.arp.counters.sendFailures).toBe(1);
    expect(segment.seen.filter((frame) => frame.arp === undefined)).toEqual([]);
  });

  it('a full cache refuses new neighbours rather than break the request rate', () => {
    const { a } = pair({ cacheEntries: 2 });
    expect(send(a, ip('10.77.0.50'))).toBe('held');
    expect(send(a, ip('10.77.0.51'))).toBe('held');
    expect(send(a, ip('10.77.0.52'))).toBe('dropped');
    expect(a.arp.counters.txDrops['cache-full']).toBe(1);
  });

  it('counts what it evicts', () => {
    const { segment, a } = pair({ cacheEntries: 1 });
    send(a);
    segment.clock.advance(1000);
    expect(send(a, IP_C)).toBe('held');
    expect(a.arp.counters.evicted).toBe(1);
    expect(a.arp.lookup(IP_B.value)).toBeUndefined();
  });

  it('asks from the source of the frame that waits when that is ours, else from the first address', () => {
    const { segment, a } = pair();
    a.arp.addAddress(SERVICE);
    send(a, NOBODY, SERVICE);
    send(a, IP_C, ip('192.0.2.1'));
    expect(segment.arpFrom(a).map((frame) => frame.arp.senderIp.toString())).toEqual([
      '10.77.0.10',
      '10.77.0.11',
    ]);
    a.arp.removeAddress(SERVICE);
    segment.clock.advance(1000);
    expect(segment.arpFrom(a).every((frame, index) => index === 0 || frame.arp.senderIp.equals(IP_A))).toBe(
      true,
    );
  });

  it('without an address of its own asks from 0.0.0.0 and takes the answer', () => {
    const segment = new Segment();
    const a = segment.host(MAC_A);
    segment.host(MAC_B, { address: IP_B });
    expect(send(a)).toBe('held');
    segment.clock.advance(1);
    expect(segment.arpFrom(a)[0]?.arp.senderIp.equals(ANY)).toBe(true);
    expect(a.arp.lookup(IP_B.value)).toBe(MAC_B.value);
  });
});

describe('neighbour states', () => {
  it('RFC 1122 2.3.2.1 (2): a stale neighbour is used at once and polled by unicast', () => {
    const { segment, a, b } = pair({ reachableMs: 30_000 });
    send(a);
    segment.clock.advance(1);
    expect(stateOf(a)).toBe('reachable');
    segment.clock.advance(30_000);
    expect(stateOf(a)).toBe('stale');
    segment.forgetSeen();
    expect(send(a)).toBe('sent');
    expect(send(a)).toBe('sent');
    expect(stateOf(a)).toBe('polling');
    expect(segment.arpFrom(a).map((frame) => frame.destination)).toEqual([MAC_B.toString()]);
    expect(segment.arpFrom(a)[0]?.arp).toEqual(request(MAC_A, IP_A, IP_B));
    segment.clock.advance(1);
    expect(stateOf(a)).toBe('reachable');
    expect(b.data).toHaveLength(3);
  });

  it('RFC 1122 2.3.2.1 (2): after two polls without reply the neighbour is resolved anew by broadcast', () => {
    const { segment, a, b } = pair({ reachableMs: 30_000 });
    send(a);
    segment.clock.advance(30_001);
    b.port.unplug();
    segment.forgetSeen();
    const startMs = segment.clock.now();
    for (let count = 0; count < 25; count++) {
      send(a);
      segment.clock.advance(100);
    }
    const asked = segment.arpFrom(a).map((frame) => [frame.atMs - startMs, frame.destination]);
    expect(asked.slice(0, 3)).toEqual([
      [0, MAC_B.toString()],
      [1000, MAC_B.toString()],
      [expect.closeTo(2000, 3), BROADCAST_TEXT],
    ]);
    // The next host with that address is found.
    segment.host(MAC_C, { address: IP_B });
    segment.clock.advance(1000);
    expect(a.arp.lookup(IP_B.value)).toBe(MAC_C.value);
  });

  it('RFC 1122 2.3.2.1 (4): confirm spares the poll', () => {
    const { segment, a } = pair({ reachableMs: 10_000 });
    send(a);
    segment.clock.advance(1);
    segment.forgetSeen();
    for (let seconds = 0; seconds < 60; seconds++) {
      expect(send(a)).toBe('sent');
      a.arp.confirm(IP_B.value);
      segment.clock.advance(1000);
    }
    expect(segment.arpFrom(a)).toEqual([]);
    a.arp.confirm(NOBODY.value);
  });

  it('a gratuitous announcement corrects an existing entry at once, and adds none', () => {
    const { segment, a, b } = pair();
    send(a);
    segment.clock.advance(1);
    segment.inject(request(MAC_X, IP_B, IP_B));
    segment.inject(request(MAC_X, NOBODY, NOBODY));
    segment.clock.advance(0.06);
    expect(a.arp.lookup(IP_B.value)).toBe(MAC_X.value);
    expect(a.arp.lookup(NOBODY.value)).toBeUndefined();
    expect(a.arp.counters).toMatchObject({ moved: 1, announcementsReceived: 2 });
    expect(b.conflicts).toHaveLength(1);
  });

  it('an announcement resolves a neighbour that is being asked for', () => {
    const { segment, a } = pair();
    send(a, NOBODY);
    segment.clock.advance(500);
    segment.inject(request(MAC_X, NOBODY, NOBODY));
    segment.clock.advance(1);
    expect(segment.seen.at(-1)?.destination).toBe(MAC_X.toString());
    expect(stateOf(a, NOBODY)).toBe('reachable');
  });

  it('learn is used at once and verified at the first use', () => {
    const { segment, a } = pair();
    a.arp.learn(IP_B, MAC_B);
    expect(stateOf(a)).toBe('stale');
    segment.clock.advance(10);
    expect(segment.seen).toEqual([]);
    expect(send(a)).toBe('sent');
    segment.clock.advance(1);
    expect(stateOf(a)).toBe('reachable');
  });

  it('learn releases what waits, and changes nothing about an address of ours', () => {
    const { segment, a, b } = pair();
    const answers: (MacAddress | undefined)[] = [];
    b.port.unplug();
    send(a);
    a.arp.resolve(IP_B, { timeoutMs: 100 }, (answer) => answers.push(answer));
    b.port.plug();
    a.arp.learn(IP_B, MAC_B);
    expect(answers).toEqual([MAC_B]);
    a.arp.learn(IP_A, MAC_X);
    expect(a.arp.lookup(IP_A.value)).toBeUndefined();
    segment.clock.advance(1);
    expect(b.data).toHaveLength(1);
  });

  it('forget drops the neighbour and what is held for it', () => {
    const { a } = pair();
    send(a);
    a.arp.forget(IP_B);
    expect(a.arp.neighbors()).toEqual([]);
    expect(a.arp.counters.txDrops['neighbor-unresolved']).toBe(1);
  });

  it('lists neighbours for a status display', () => {
    const { segment, a } = pair();
    send(a);
    send(a, NOBODY);
    segment.clock.advance(1);
    expect(a.arp.neighbors()).toEqual([
      { address: IP_B, mac: MAC_B, state: 'reachable' },
      { address: NOBODY, mac: undefined, state: 'incomplete' },
    ]);
  });

  it('idle neighbours are forgotten in the end and leave no timer behind', () => {
    const { segment, a, b } = pair();
    send(a);
    segment.clock.advance(700_000);
    expect(a.arp.neighbors()).toEqual([]);
    expect(b.arp.neighbors()).toEqual([]);
    expect(segment.clock.pending).toBe(0);
  });
});

describe('resolve', () => {
  function resolving(host: Host, address = IP_B, options = {}) {
    const answers: (string | undefined)[] = [];
    const task = host.arp.resolve(address, { timeoutMs: 100, ...options }, (answer) => {
      answers.push(answer?.toString());
    });
    return { answers, task };
  }

  it('asks and tells the answer', () => {
    const { segment, a } = pair();
    const { answers } = resolving(a);
    segment.clock.advance(1);
    expect(answers).toEqual([MAC_B.toString()]);
    expect(segment.arpFrom(a)).toHaveLength(1);
    segment.clock.advance(500);
    expect(answers).toHaveLength(1);
  });

  it('answers from the cache, but never within the call', () => {
    const { segment, a } = pair();
    a.arp.learn(IP_B, MAC_B);
    const { answers } = resolving(a);
    expect(answers).toEqual([]);
    segment.clock.advance(0);
    expect(answers).toEqual([MAC_B.toString()]);
    expect(segment.seen).toEqual([]);
    resolving(a).task.cancel();
    segment.clock.advance(1);
    expect(answers).toHaveLength(1);
  });

  it('fresh: asks even when cached, first point to point, then by broadcast; only a reply to us counts', () => {
    const { segment, a, b } = pair();
    a.arp.learn(IP_B, MAC_B);
    b.port.unplug();
    const { answers } = resolving(a, IP_B, { fresh: true, intervalMs: 20 });
    segment.clock.advance(30);
    // B is heard, which does not prove that B hears us.
    segment.inject(request(MAC_B, IP_B, IP_C), undefined, MAC_B);
    segment.clock.advance(20);
    expect(answers).toEqual([]);
    expect(segment.arpFrom(a).map((frame) => [frame.atMs, frame.destination])).toEqual([
      [0, MAC_B.toString()],
      [20, BROADCAST_TEXT],
      [40, BROADCAST_TEXT],
    ]);
    segment.inject(reply(MAC_B, IP_B, MAC_A, IP_A), MAC_A, MAC_B);
    segment.clock.advance(1);
    expect(answers).toEqual([MAC_B.toString()]);
    expect(segment.clock.now()).toBe(51);
  });

  it('fresh: an unreachable witness is told at the deadline', () => {
    const { segment, a } = pair();
    const { answers } = resolving(a, NOBODY, { fresh: true, timeoutMs: 60, intervalMs: 15 });
    segment.clock.advance(59.9);
    expect(answers).toEqual([]);
    segment.clock.advance(0.1);
    expect(answers).toEqual([undefined]);
    expect(segment.timesOf(a)).toEqual([0, 15, 30, 45, 60]);
  });

  it('RFC 1122 2.3.2.1: without a pace of its own keeps to one request a second, over calls', () => {
    const { segment, a } = pair();
    for (let count = 0; count < 50; count++) {
      resolving(a, IP_B, { fresh: true, timeoutMs: 90 });
      segment.clock.advance(100);
    }
    const times = segment.timesOf(a);
    for (const [index, timeMs] of times.entries()) {
      if (index > 0) expect(timeMs - (times[index - 1] as number)).toBeGreaterThanOrEqual(1000);
    }
  });

  it('the pace is at most one request in 10 ms', () => {
    const { segment, a } = pair();
    resolving(a, NOBODY, { intervalMs: 0.1 });
    segment.clock.advance(50);
    expect(segment.timesOf(a)).toEqual([0, 10, 20, 30, 40, 50]);
  });

  it('the verdict of the cache ends it before a long deadline', () => {
    const { segment, a } = pair();
    const { answers } = resolving(a, NOBODY, { timeoutMs: 60_000 });
    segment.clock.advance(3000);
    expect(answers).toEqual([undefined]);
    // A failed neighbour is asked again at once on request.
    resolving(a, NOBODY, { timeoutMs: 60_000 });
    expect(segment.timesOf(a)).toEqual([0, 1000, 2000, 3000]);
  });

  it('a late timer lets waiting input be read first', () => {
    const { segment, a } = pair();
    const { answers } = resolving(a, NOBODY, { timeoutMs: 50 });
    // As after a stall: the answer arrives in the very turn in which the deadline fires.
    segment.clock.setTimer(50, () => {
      segment.clock.defer(() => undefined);
      a.arp.receive(arpOctets(), 0, 28, MAC_X.value);
    });
    segment.clock.advance(60);
    expect(answers).toEqual([MAC_X.toString()]);
  });

  it('can be called off', () => {
    const { segment, a } = pair();
    const { answers, task } = resolving(a, NOBODY);
    task.cancel();
    segment.clock.advance(5000);
    expect(answers).toEqual([]);
  });

  it('an address of ours, or the 257th call at once, gets no answer', () => {
    const { segment, a } = pair();
    const own = resolving(a, IP_A);
    const all = Array.from({ length: 257 }, () => resolving(a, NOBODY));
    segment.clock.advance(1);
    expect(own.answers).toEqual([undefined]);
    expect(all.filter((each) => each.answers.length > 0)).toEqual([all[256]]);
    segment.clock.advance(200);
    expect(all.every((each) => each.answers.length === 1)).toBe(true);
  });

  it('a full cache ends at the deadline', () => {
    const { segment, a } = pair({ cacheEntries: 1 });
    send(a, NOBODY);
    const { answers } = resolving(a, IP_C);
    segment.clock.advance(100);
    expect(answers).toEqual([undefined]);
  });

  it('refuses nonsense', () => {
    const { a } = pair();
    expect(() => resolving(a, ANY)).toThrow(expect.objectContaining({ code: 'RFSIS_ARP_ADDRESS_INVALID' }));
    expect(() => resolving(a, IP_B, { timeoutMs: 0 })).toThrow(
      expect.objectContaining({ code: 'RFSIS_ARP_OPTION_INVALID' }),
    );
    expect(() => resolving(a, IP_B, { intervalMs: Number.NaN })).toThrow(/intervalMs/);
    expect(() => {
      a.arp.learn(IP_B, mac('01:00:5e:00:00:01'));
    }).toThrow(expect.objectContaining({ code: 'RFSIS_ARP_ADDRESS_INVALID' }));
  });

  function arpOctets(): Uint8Array {
    const bytes = new Uint8Array(28);
    const packet = reply(MAC_X, NOBODY, MAC_A, IP_A);
    expect(packet.operation).toBe(ArpOperation.reply);
    bytes.set(octets('0001080006040002'));
    packet.senderMac.writeTo(bytes, 8);
    packet.senderIp.writeTo(bytes, 14);
    packet.targetMac.writeTo(bytes, 18);
    packet.targetIp.writeTo(bytes, 24);
    return bytes;
  }
});
