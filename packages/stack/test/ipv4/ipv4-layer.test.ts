import { ChecksumState } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import type { Ipv4RxDrop } from '../../src/index.js';
import { parseIcmp } from '../../src/icmp/message.js';
import { parseIpv4, type Ipv4Header } from '../../src/ipv4/packet.js';
import { bench, brokenEquations, cidr, hex, ip, ipv4Frame } from '../network.js';

const PROTOCOL = 99;

function host(options: Parameters<typeof bench>[0] = {}) {
  const base = bench(options);
  const received: { payload: string; scope: string; state: ChecksumState; destination: number }[] = [];
  base.stack.ipv4.register({
    number: PROTOCOL,
    receive: (packet, bytes, offset, end, state) =>
      received.push({
        payload: Buffer.from(bytes.subarray(offset, end)).toString('hex'),
        scope: packet.scope,
        state,
        destination: packet.destination,
      }),
    recognises: () => false,
    receiveError: () => undefined,
  });
  const drops = (): Partial<Record<string, number>> =>
    Object.fromEntries(Object.entries(base.stack.counters.ipv4.rxDrops).filter(([, count]) => count > 0));
  const receive = (header: Partial<Ipv4Header> = {}, payload = hex('0102030405060708')): void => {
    base.receive(payload, { protocol: PROTOCOL, ...header });
  };
  return { ...base, received, drops, receive };
}

describe('Ipv4Layer, input', () => {
  it('hands the payload of a datagram to its protocol, without the padding of the frame', () => {
    const { device, received, stack } = host();
    const frame = ipv4Frame(hex('0102'), { protocol: PROTOCOL });
    const padded = new Uint8Array(60);
    padded.set(frame);
    device.receive([padded], ChecksumState.valid);
    expect(received).toEqual([
      { payload: '0102', scope: 'unicast', state: ChecksumState.valid, destination: ip('10.0.0.1').value },
    ]);
    expect(stack.counters.ipv4).toMatchObject({ rxPackets: 1, rxDelivered: 1 });
  });

  it('RFC 1122 3.2.1.7: takes datagrams whose TTL is small', () => {
    const { received, receive } = host();
    receive({ timeToLive: 1 });
    receive({ timeToLive: 0 });
    expect(received).toHaveLength(2);
  });

  it.each<[string, Partial<Ipv4Header>, Ipv4RxDrop]>([
    ['RFC 1122 3.2.1.3: for another host', { destination: ip('10.0.0.9') }, 'destination-foreign'],
    ['RFC 1112 7.2: for a group we are not in', { destination: ip('224.0.0.2') }, 'destination-foreign'],
    [
      'RFC 1122 3.2.1.3 (g): for 127.0.0.1, over the link',
      { destination: ip('127.0.0.1') },
      'destination-foreign',
    ],
    ['RFC 1122 3.2.1.3: from a broadcast address', { source: ip('255.255.255.255') }, 'source-invalid'],
    ['RFC 1122 3.2.1.3: from our directed broadcast address', { source: ip('10.0.0.255') }, 'source-invalid'],
    ['RFC 1122 3.2.1.3: from a multicast address', { source: ip('224.0.0.1') }, 'source-invalid'],
    ['RFC 1122 3.2.1.3 (g): from 127.0.0.1', { source: ip('127.0.0.1') }, 'source-invalid'],
    ['RFC 1122 3.2.1.3 (a): from 0.0.0.0', { source: ip('0.0.0.0') }, 'source-invalid'],
    ['from our own address ("land")', { source: ip('10.0.0.1') }, 'source-own'],
  ])('silently discards what comes %s', (_name, header, reason) => {
    const { receive, received, drops, take } = host();
    receive(header);
    expect([received, drops(), take()]).toEqual([[], { [reason]: 1 }, []]);
  });

  it('takes broadcasts and 224.0.0.1, in group frames and others', () => {
    const { device, receive, received } = host();
    for (const destination of ['255.255.255.255', '10.0.0.255', '224.0.0.1']) {
      receive({ destination: ip(destination) });
      const frame = ipv4Frame(hex('01'), { protocol: PROTOCOL, destination: ip(destination) });
      frame.fill(0xff, 0, 6);
      device.receive([frame]);
    }
    expect(received.map((each) => each.scope)).toEqual([
      'broadcast',
      'broadcast',
      'broadcast',
      'broadcast',
      'multicast',
      'multicast',
    ]);
  });

  it('RFC 1122 3.3.6: discards a datagram for one host in a broadcast frame', () => {
    const { device, received, drops } = host();
    const frame = ipv4Frame(hex('01'), { protocol: PROTOCOL });
    frame.fill(0xff, 0, 6);
    device.receive([frame]);
    expect([received, drops()]).toEqual([[], { 'unicast-in-group-frame': 1 }]);
  });

  it('counts malformed headers under their defect', () => {
    const { device, drops, stack } = host();
    const good = ipv4Frame(hex('0102'), { protocol: PROTOCOL });
    const bad = good.slice();
    bad[24] = 0;
    device.receive([good.subarray(0, 30), bad]);
    expect(drops()).toEqual({ 'ipv4-truncated': 1, 'ipv4-header-checksum': 1 });
    expect(brokenEquations(stack.counters).filter((each) => !each.startsWith('delivered'))).toEqual([]);
  });

  it('counts datagrams with options, and delivers them', () => {
    const { device, received, stack } = host();
    const frame = ipv4Frame(hex('01010101 0102'), { protocol: PROTOCOL });
    frame[14] = 0x46;
    // The header is longer by four no-operations: its checksum changes by the version octet and by them.
    const words = [0x4600, 0x001a, 0x0001, 0, 0x4063, 0x0a00, 2, 0x0a00, 1, 0x0101, 0x0101];
    const sum = words.reduce((total, word) => total + word, 0);
    const field = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
    frame[24] = field >>> 8;
    frame[25] = field & 255;
    device.receive([frame]);
    expect(received.map((each) => each.payload)).toEqual(['0102']);
    expect(stack.counters.ipv4.rxWithOptions).toBe(1);
  });

  it('RFC 1122 3.2.2.1: answers an unknown protocol with Destination Unreachable, code 2', () => {
    const { receive, take, drops, peer } = host();
    receive({ protocol: 200 });
    expect(drops()).toEqual({ 'protocol-unknown': 1 });
    const [frame] = take();
    const header = frame && parseIpv4(frame, 14);
    expect(header).toMatchObject({ protocol: 1, source: ip('10.0.0.1'), destination: peer });
    const message = frame && parseIcmp(frame, 34, 14 + (header?.totalLength ?? 0));
    expect(message).toMatchObject({ type: 3, code: 2, rest: 0 });
    expect(message && parseIpv4(message.data)).toMatchObject({
      protocol: 200,
      source: peer,
      totalLength: 28,
    });
  });

  it('has one protocol of a number', () => {
    const { stack } = host();
    expect(() => {
      stack.ipv4.register({
        number: PROTOCOL,
        receive: () => undefined,
        recognises: () => false,
        receiveError: () => undefined,
      });
    }).toThrow(expect.objectContaining({ code: 'RFSIS_STACK_STATE' }) as Error);
  });
});

describe('Ipv4Layer, fragments', () => {
  it('delivers a datagram when its last fragment arrives, in whatever order', () => {
    const { receive, received, stack } = host();
    receive({ fragmentOffset: 8 }, hex('aabb'));
    expect(received).toEqual([]);
    receive({ moreFragments: true });
    expect(received).toEqual([
      { payload: '0102030405060708aabb', scope: 'unicast', state: 0, destination: ip('10.0.0.1').value },
    ]);
    expect(stack.counters.ipv4).toMatchObject({ rxFragments: 2, rxReassembled: 1, rxDelivered: 1 });
    expect(stack.ipv4.reassembler.octets).toBe(0);
  });

  it('RFC 1122 3.3.2: sends Time Exceeded, code 1, when the rest does not come and the first fragment is there', () => {
    const { clock, receive, take, peer, stack } = host();
    receive({ moreFragments: true });
    receive({ moreFragments: true, identification: 2, fragmentOffset: 8 });
    clock.advance(29_999);
    expect(take()).toEqual([]);
    clock.advance(1);
    const [frame, ...others] = take();
    expect(others).toEqual([]);
    const header = frame && parseIpv4(frame, 14);
    expect(header).toMatchObject({ source: ip('10.0.0.1'), destination: peer });
    const message = frame && parseIcmp(frame, 34, 14 + (header?.totalLength ?? 0));
    expect(message).toMatchObject({ type: 11, code: 1 });
    const quoted = message && parseIpv4(message.data);
    expect(quoted).toMatchObject({ identification: 1, moreFragments: true, totalLength: 28 });
    expect(stack.counters.ipv4.reassembly.timedOut).toBe(2);
  });

  it('forgets fragments for an address that is removed, and tells nobody', () => {
    const { clock, receive, take, stack, received } = host();
    stack.addAddress(cidr('10.0.0.10/24'));
    receive({ moreFragments: true, destination: ip('10.0.0.10') });
    stack.removeAddress(ip('10.0.0.10'));
    stack.addAddress(cidr('10.0.0.10/24'));
    receive({ fragmentOffset: 8, destination: ip('10.0.0.10') });
    expect(received).toEqual([]);
    clock.advance(60_000);
    expect(take()).toEqual([]);
    expect(stack.counters.ipv4.reassembly).toMatchObject({ abandoned: 1, timedOut: 1 });
  });
});

describe('Ipv4Layer, source selection', () => {
  it('RFC 1122 3.3.4.3: takes the first address of the network of the destination or of the gateway', () => {
    const { stack } = host({ gateway: ip('10.1.0.254') });
    const source = (to: string): string => {
      const value = stack.ipv4.selectSource(ip(to).value);
      return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
    };
    stack.addAddress(cidr('10.0.0.10/24'));
    expect(source('8.8.8.8')).toBe('0.0.0.0');
    stack.addAddress(cidr('10.1.0.1/24'));
    expect(source('10.0.0.2')).toBe('10.0.0.1');
    expect(source('10.1.0.2')).toBe('10.1.0.1');
    expect(source('8.8.8.8')).toBe('10.1.0.1');
    expect(source('10.0.0.10')).toBe('10.0.0.10');
    expect(source('127.1.1.1')).toBe('127.0.0.1');
    expect(source('10.1.0.255')).toBe('10.1.0.1');
    stack.setGateway(undefined);
    expect(source('255.255.255.255')).toBe('10.0.0.1');
    expect(source('224.0.0.1')).toBe('10.0.0.1');
    for (const { address } of [...stack.addresses]) stack.removeAddress(address);
    expect(source('255.255.255.255')).toBe('0.0.0.0');
  });
});
