import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MacAddress, SeededRandom, VirtualClock } from '@rfsis/link';
import { type Ipv4Header, parseIpv4 } from '../../src/ipv4/packet.js';
import { type Fragmentation, TRANSMIT_PAYLOAD } from '../../src/ipv4/transmitter.js';
import { Stack } from '../../src/index.js';
import { answerArp, bench, cidr, hex, ip, mac, pair, TestDevice, type Bench } from '../network.js';

const PROTOCOL = 99;

function send(
  { stack }: Pick<Bench, 'stack'>,
  length: number,
  options: {
    readonly to?: string;
    readonly from?: string;
    readonly fragmentation?: Fragmentation;
    readonly ttl?: number;
  } = {},
): string {
  const { buffer } = stack.ipv4.transmitter;
  for (let index = 0; index < length; index++) buffer[TRANSMIT_PAYLOAD + index] = index;
  return stack.ipv4.send(
    ip(options.from ?? '10.0.0.1').value,
    ip(options.to ?? '10.0.0.2').value,
    PROTOCOL,
    length,
    {
      timeToLive: options.ttl ?? 64,
      typeOfService: 0,
      fragmentation: options.fragmentation ?? 'path',
    },
  );
}

const headers = (frames: readonly Uint8Array[]): (Ipv4Header | undefined)[] =>
  frames.map((frame) => parseIpv4(frame, 14));

describe('Transmitter', () => {
  it('makes frames octet by octet', () => {
    const host = bench();
    expect(send(host, 8, { ttl: 7 })).toBe('sent');
    const [frame] = host.take();
    // The identification and the checksum are not known beforehand.
    expect(frame?.subarray(0, 18)).toEqual(hex('02005e000002 02005e000001 0800 4500001c'));
    expect(frame?.subarray(20, 24)).toEqual(hex('4000 07 63'));
    expect(frame?.subarray(26)).toEqual(hex(`0a000001 0a000002 0001020304050607 ${'00'.repeat(18)}`));
    expect(frame && parseIpv4(frame, 14)).toMatchObject({ totalLength: 28, dontFragment: true });
  });

  it('RFC 894: pads short frames with zeros, whatever was sent before', () => {
    const host = bench();
    send(host, 1000);
    send(host, 0);
    const [, short] = host.take();
    expect(short).toHaveLength(60);
    expect(short?.subarray(34)).toEqual(new Uint8Array(26));
  });

  it('asks ARP for the next hop: the destination on the link, the gateway beyond it (RFC 1122 3.3.1.1)', () => {
    const device = new TestDevice();
    const clock = new VirtualClock();
    const stack = new Stack({ device, clock, random: new SeededRandom(1), gateway: ip('10.0.0.254') });
    stack.open();
    stack.addAddress(cidr('10.0.0.1/24'));
    stack.arp.learn(ip('10.0.0.254'), mac(254));
    expect(send({ stack }, 8, { to: '8.8.8.8' })).toBe('sent');
    expect(MacAddress.fromOctets(device.sent[0] ?? hex('')).equals(mac(254))).toBe(true);
    expect(send({ stack }, 8, { to: '10.0.0.9' })).toBe('held');
    // The gateway that the test has told is verified, too.
    expect(answerArp({ device })).toBe(2);
    expect(headers(device.sent.slice(-1))[0]?.destination.toString()).toBe('10.0.0.9');
    stack.setGateway(undefined);
    expect(send({ stack }, 8, { to: '8.8.8.8' })).toBe('no-route');
    expect(stack.counters.ipv4).toMatchObject({ txPackets: 2, txFrames: 2 });
  });

  it('RFC 1122 3.2.1.3 (a): sends nothing to 0.0.0.0', () => {
    const host = bench({ gateway: ip('10.0.0.2') });
    expect(send(host, 8, { to: '0.0.0.0' })).toBe('no-route');
    expect(host.take()).toEqual([]);
  });

  it('RFC 1191 3: sets "don\'t fragment", and does not when told so', () => {
    const host = bench();
    send(host, 1480);
    send(host, 1480, { fragmentation: 'never' });
    send(host, 1480, { fragmentation: 'allowed' });
    expect(headers(host.take()).map((each) => each?.dontFragment)).toEqual([true, true, false]);
  });

  it('RFC 791 2.3: cuts what is longer than the MTU into pieces of a multiple of eight octets', () => {
    const host = bench();
    expect(send(host, 3000)).toBe('sent');
    const fragments = host.take();
    const parsed = headers(fragments);
    expect(
      parsed.map((each) => [
        each?.fragmentOffset,
        each?.totalLength,
        each?.moreFragments,
        each?.dontFragment,
      ]),
    ).toEqual([
      [0, 1500, true, false],
      [1480, 1500, true, false],
      [2960, 60, false, false],
    ]);
    expect(new Set(parsed.map((each) => each?.identification)).size).toBe(1);
    expect(
      Buffer.concat(
        fragments.map((frame, index) => frame.subarray(34, 14 + (parsed[index]?.totalLength ?? 0))),
      ),
    ).toEqual(Buffer.from(Array.from({ length: 3000 }, (_, index) => index & 255)));
    expect(host.stack.counters.ipv4).toMatchObject({ txPackets: 1, txFragmented: 1, txFrames: 3 });
  });

  it('refuses what must not be cut, and what no datagram can hold', () => {
    const host = bench();
    expect(send(host, 1481, { fragmentation: 'never' })).toBe('too-big');
    expect(send(host, 65_515)).toBe('sent');
    expect(host.take()).toHaveLength(45);
    expect(send(host, 65_516)).toBe('too-big');
    expect(host.stack.counters.ipv4.txDrops['too-big']).toBe(2);
  });

  it('RFC 1191 3: cuts to the path MTU; on a path below the minimum it lets routers cut further', () => {
    const host = bench();
    const { pathMtu } = host.stack.ipv4;
    pathMtu.reduce(host.peer.value, 1000, 1500);
    send(host, 980);
    send(host, 1200);
    expect(headers(host.take()).map((each) => [each?.totalLength, each?.dontFragment])).toEqual([
      [1000, true],
      [996, false],
      [244, false],
    ]);
    pathMtu.reduce(host.peer.value, 68, 1000);
    send(host, 100);
    expect(headers(host.take()).map((each) => [each?.totalLength, each?.dontFragment])).toEqual([
      [120, false],
    ]);
    expect(host.stack.ipv4.payloadLimit(host.peer.value)).toBe(532);
    // Who says that nothing may be cut means it there too.
    send(host, 100, { fragmentation: 'never' });
    expect(headers(host.take()).map((each) => each?.dontFragment)).toEqual([true]);
  });

  it('sends broadcasts and multicasts to their MAC addresses (RFC 894, RFC 1112 6.4)', () => {
    const host = bench();
    const targets = ['255.255.255.255', '10.0.0.255', '224.129.2.3'];
    for (const to of targets) expect(send(host, 8, { to })).toBe('sent');
    expect(host.take().map((frame) => MacAddress.fromOctets(frame).toString())).toEqual([
      'ff:ff:ff:ff:ff:ff',
      'ff:ff:ff:ff:ff:ff',
      '01:00:5e:01:02:03',
    ]);
  });

  it('never sends from an address that is not ours', () => {
    const host = bench();
    expect(send(host, 8, { from: '10.0.0.3' })).toBe('source-not-owned');
    expect(send(host, 8, { from: '0.0.0.0' })).toBe('source-not-owned');
    expect(send(host, 8, { from: '127.0.0.1' })).toBe('source-not-owned');
    expect(send(host, 8, { from: '10.0.0.3', to: '10.0.0.1' })).toBe('source-not-owned');
    host.stack.removeAddress(ip('10.0.0.1'));
    expect(send(host, 8)).toBe('source-not-owned');
    expect(host.take()).toEqual([]);
    expect(host.stack.counters.ipv4.txDrops['source-not-owned']).toBe(5);
  });

  it('counts what ARP and the device refuse, and stops after the first fragment that is lost', () => {
    const host = bench();
    host.device.up = false;
    expect(send(host, 3000)).toBe('next-hop');
    expect(send(host, 8, { to: '255.255.255.255' })).toBe('device');
    expect(host.stack.counters.ipv4).toMatchObject({ txPackets: 0, txDrops: { 'next-hop': 1, device: 1 } });
    expect(host.stack.counters.arp.txDrops['device-refused']).toBe(1);
  });

  it('sends to itself without the device', () => {
    const host = bench();
    expect(send(host, 60_000, { to: '10.0.0.1' })).toBe('sent');
    expect(send(host, 8, { to: '127.0.0.1', from: '127.0.0.1' })).toBe('sent');
    expect(host.take()).toEqual([]);
    host.clock.advance(0);
    // Nobody speaks that protocol: each brings an ICMP error back.
    host.clock.advance(0);
    expect(host.stack.counters.ipv4).toMatchObject({ txLoopback: 4, rxLoopback: 4, txFrames: 0 });
    expect(host.stack.counters.icmp.txErrors).toBe(2);
  });

  it('bounds what is on its way to itself', () => {
    const host = bench({ loopbackOctets: 100 });
    expect(send(host, 60, { to: '10.0.0.1' })).toBe('sent');
    expect(send(host, 60, { to: '10.0.0.1' })).toBe('loopback-full');
  });

  it("and the reassembler are each other's inverse, for any length and MTU", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_515 }), fc.integer({ min: 68, max: 9000 }), (length, mtu) => {
        const { clock, a, b } = pair({ mtu });
        let received: Uint8Array | undefined;
        b.ipv4.register({
          number: PROTOCOL,
          receive: (_packet, bytes, offset, end) => (received = bytes.slice(offset, end)),
          recognises: () => false,
          receiveError: () => undefined,
        });
        a.arp.learn(ip('10.0.0.2'), mac(2));
        expect(send({ stack: a }, length)).toBe('sent');
        clock.advance(1);
        expect(received).toHaveLength(length);
        expect(received?.every((octet, index) => octet === (index & 255))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
