import { describe, expect, it } from 'vitest';
import { emitIcmp, parseIcmp, type IcmpMessage } from '../../src/icmp/message.js';
import { emitIpv4, parseIpv4, type Ipv4Header } from '../../src/ipv4/packet.js';
import { InboundPacket } from '../../src/ipv4/protocol.js';
import { emitUdp } from '../../src/udp/datagram.js';
import { bench, brokenEquations, cidr, hex, ip, ipv4Frame, type Bench } from '../network.js';

const icmpOf = (message: IcmpMessage): Uint8Array => {
  const bytes = new Uint8Array(8 + message.data.length);
  emitIcmp(bytes, 0, message);
  return bytes;
};

function host(options: Parameters<typeof bench>[0] = {}) {
  const base = bench(options);
  const receive = (message: IcmpMessage, header: Partial<Ipv4Header> = {}): void => {
    base.receive(icmpOf(message), { protocol: 1, ...header });
  };
  const drops = (): object =>
    Object.fromEntries(Object.entries(base.stack.counters.icmp.rxDrops).filter(([, count]) => count > 0));
  const txDrops = (): object =>
    Object.fromEntries(Object.entries(base.stack.counters.icmp.txDrops).filter(([, count]) => count > 0));
  return { ...base, receive, drops, txDrops };
}

/** What a frame says, header and message. */
function open(frame: Uint8Array | undefined): { header: Ipv4Header; message: IcmpMessage } | undefined {
  const header = frame && parseIpv4(frame, 14);
  const message = frame && header && parseIcmp(frame, 34, 14 + header.totalLength);
  return header && message && { header, message };
}

const ANY_OPTIONS = { timeToLive: 64, typeOfService: 0, fragmentation: 'path' } as const;

const echo = (data: Uint8Array): IcmpMessage => ({ type: 8, code: 0, rest: 0x1234_0005, data });

describe('IcmpLayer, echo', () => {
  it('RFC 1122 3.2.2.6: answers with the same data, from the address that was asked', () => {
    const { receive, take, stack, peer } = host();
    stack.addAddress(cidr('10.0.0.10/24'));
    receive(echo(hex('010203')), { destination: ip('10.0.0.10'), typeOfService: 0x10 });
    const reply = open(take()[0]);
    expect(reply?.header).toMatchObject({ source: ip('10.0.0.10'), destination: peer, typeOfService: 0x10 });
    expect(reply?.message).toEqual({ type: 0, code: 0, rest: 0x1234_0005, data: hex('010203') });
    expect(stack.counters.icmp).toMatchObject({ rxEchoRequests: 1, txEchoReplies: 1 });
  });

  it('answers a request without data, and one whose checksum field wraps', () => {
    const { receive, take } = host();
    for (const data of [hex(''), hex('e7c6'), hex('e5c5'), hex('ffff')]) {
      receive({ type: 8, code: 0, rest: 0x1234_0005, data });
      expect(open(take()[0])?.message.data).toEqual(data);
    }
  });

  it('answers the longest, in fragments', () => {
    const { device, take, stack } = host();
    const request = icmpOf(echo(new Uint8Array(65_507).map((_, index) => index)));
    for (let begin = 0; begin < request.length; begin += 1480) {
      const piece = request.subarray(begin, begin + 1480);
      const moreFragments = begin + 1480 < request.length;
      device.receive([ipv4Frame(piece, { protocol: 1, fragmentOffset: begin, moreFragments })]);
    }
    const frames = take();
    expect(frames).toHaveLength(45);
    expect(frames.reduce((sum, frame) => sum + (parseIpv4(frame, 14)?.totalLength ?? 0) - 20, 0)).toBe(
      65_515,
    );
    expect(stack.counters.icmp.txEchoReplies).toBe(1);
  });

  it('RFC 1191 2: lets routers fragment what it answers, for no error about a reply can be told from a forged one', () => {
    const { receive, take } = host();
    receive(echo(new Uint8Array(1400)), { dontFragment: true });
    expect(open(take()[0])?.header.dontFragment).toBe(false);
    receive({ type: 99, code: 0, rest: 0, data: hex('') }, { protocol: 99 });
    expect(open(take()[0])).toMatchObject({ header: { dontFragment: false }, message: { type: 3, code: 2 } });
  });

  it.each(['10.0.0.255', '255.255.255.255', '224.0.0.1'])(
    'RFC 1122 3.2.2.6: does not answer an echo request to %s',
    (destination) => {
      const { receive, take, drops } = host();
      receive(echo(hex('01')), { destination: ip(destination) });
      expect([take(), drops()]).toEqual([[], { 'echo-broadcast': 1 }]);
    },
  );

  it('counts what is malformed or not spoken', () => {
    const { receive, drops, stack } = host();
    for (const type of [4, 5, 13, 17, 42]) receive({ type, code: 0, rest: 0, data: hex('') });
    receive({ type: 0, code: 0, rest: 1, data: hex('') });
    expect(drops()).toEqual({ 'source-quench': 1, redirect: 1, 'icmp-type': 3, 'echo-unmatched': 1 });
    expect(brokenEquations(stack.counters)).toEqual([]);
  });
});

/** The first octets of a UDP datagram that 10.0.0.1 sent to 10.0.0.2, as a router would quote it. */
function quote({ stack, take }: Pick<Bench, 'stack' | 'take'>, octets = 28): Uint8Array {
  const socket = stack.udp.bind({ port: 5000 });
  socket.sendTo(new Uint8Array(1400), ip('10.0.0.2'), 7);
  const frame = take().find((each) => each.length > 1000);
  return frame?.slice(14, 14 + octets) ?? hex('');
}

describe('IcmpLayer, errors received', () => {
  it('RFC 1191 4: reduces the path MTU for a datagram of ours', () => {
    const subject = host();
    const { stack, receive, peer } = subject;
    receive({ type: 3, code: 4, rest: 1300, data: quote(subject) });
    expect(stack.ipv4.pathMtu.get(peer.value)).toBe(1300);
    expect(stack.counters.icmp).toMatchObject({ rxErrors: 1, rxPathMtuReductions: 1 });
  });

  it('RFC 5927 7: not for one that was not sent: port, identification, address, direction', () => {
    const subject = host();
    const { stack, receive, drops, peer } = subject;
    const good = quote(subject);
    const change = (offset: number, value: number): Uint8Array => {
      const copy = good.slice();
      copy[offset] = (copy[offset] ?? 0) ^ value;
      return copy;
    };
    const forged: Uint8Array[] = [
      change(21, 1),
      change(4, 0x80),
      change(15, 4),
      change(19, 4),
      change(9, 0x40),
    ];
    for (const data of forged) receive({ type: 3, code: 4, rest: 1300, data });
    expect(stack.ipv4.pathMtu.get(peer.value)).toBe(1500);
    expect(drops()).toEqual({ 'error-not-ours': 5 });
  });

  it('RFC 1191 4: not for one that was sent without "don\'t fragment"', () => {
    const subject = host();
    const data = quote(subject);
    data[6] = 0;
    subject.receive({ type: 3, code: 4, rest: 1300, data });
    expect(subject.stack.ipv4.pathMtu.get(subject.peer.value)).toBe(1500);
    expect(subject.stack.counters.icmp).toMatchObject({ rxErrors: 1, rxPathMtuReductions: 0 });
  });

  it('believes nobody who broadcasts, and no quotation that is cut off or of a later fragment', () => {
    const subject = host();
    const { receive, drops } = subject;
    const data = quote(subject);
    receive({ type: 3, code: 3, rest: 0, data }, { destination: ip('10.0.0.255') });
    receive({ type: 3, code: 3, rest: 0, data: data.subarray(0, 27) });
    receive({ type: 3, code: 3, rest: 0, data: hex('') });
    const later = data.slice();
    later[7] = 1;
    receive({ type: 3, code: 3, rest: 0, data: later });
    expect(drops()).toEqual({ 'error-broadcast': 1, 'error-quote': 3 });
  });

  it('tells sockets that a next hop does not answer ARP', () => {
    const { clock, stack } = host();
    const errors: string[] = [];
    const socket = stack.udp.bind({ onError: (error, hard) => errors.push(`${error.code} ${String(hard)}`) });
    socket.connect(ip('10.0.0.77'), 7);
    expect(socket.send(hex('01'))).toBeUndefined();
    clock.advance(5000);
    expect(errors).toEqual(['EHOSTUNREACH false']);
    expect(stack.counters.icmp.localErrors).toBe(1);
  });
});

describe('IcmpLayer, errors sent', () => {
  const udp = (
    destinationPort: number,
    payload: Uint8Array = new Uint8Array(0),
    source = '10.0.0.2',
  ): Uint8Array => {
    const bytes = new Uint8Array(8 + payload.length);
    emitUdp(bytes, 0, ip(source), ip('10.0.0.1'), { sourcePort: 1000, destinationPort, payload });
    return bytes;
  };

  it('RFC 1122 4.1.3.1: Port Unreachable, quoting the datagram, with TOS 0, from the address that was asked', () => {
    const subject = host();
    const payload = udp(9, hex('aabb'));
    const frame = ipv4Frame(payload, { typeOfService: 0x20 });
    subject.device.receive([frame]);
    const sent = open(subject.take()[0]);
    expect(sent?.header).toMatchObject({
      source: ip('10.0.0.1'),
      destination: ip('10.0.0.2'),
      typeOfService: 0,
    });
    expect(sent?.message).toMatchObject({ type: 3, code: 3, rest: 0 });
    expect(sent?.message.data).toEqual(frame.subarray(14));
  });

  it('RFC 1812 4.3.2.3: quotes as much as fits 576 octets', () => {
    const { device, take } = host();
    device.receive([ipv4Frame(udp(9, new Uint8Array(1400)))]);
    expect(open(take()[0])?.header.totalLength).toBe(576);
  });

  it('RFC 1122 3.2.2: none about broadcasts, multicasts, broadcast frames', () => {
    const { device, take, txDrops } = host();
    device.receive([ipv4Frame(udp(9), { protocol: 200, destination: ip('10.0.0.255') })]);
    device.receive([ipv4Frame(udp(9), { protocol: 200, destination: ip('224.0.0.1') })]);
    device.receive([ipv4Frame(udp(9), { destination: ip('255.255.255.255') })]);
    expect(take()).toEqual([]);
    // UDP does not even try.
    expect(txDrops()).toEqual({ 'about-broadcast': 2 });
  });

  it('RFC 1122 3.2.2: none about ICMP errors', () => {
    const { device, clock, take, txDrops } = host();
    const error = icmpOf({ type: 3, code: 3, rest: 0, data: new Uint8Array(8) });
    device.receive([ipv4Frame(error, { protocol: 1, moreFragments: true })]);
    const request = icmpOf(echo(new Uint8Array(8)));
    device.receive([ipv4Frame(request, { protocol: 1, moreFragments: true, identification: 2 })]);
    clock.advance(30_000);
    expect(take().map((frame) => open(frame)?.message.type)).toEqual([11]);
    expect(txDrops()).toEqual({ 'about-error': 1 });
  });

  it('RFC 1122 3.2.2: none to 240.0.0.0/4, which is nobody', () => {
    const { device, take, txDrops } = host();
    device.receive([ipv4Frame(udp(9, new Uint8Array(0), '240.0.0.1'), { source: ip('240.0.0.1') })]);
    expect([take(), txDrops()]).toEqual([[], { 'about-source': 1 }]);
  });

  it('RFC 1122 3.2.2: none about a fragment other than the first', () => {
    const { stack, txDrops } = host();
    const bytes = new Uint8Array(28);
    emitIpv4(bytes, 0, {
      typeOfService: 0,
      totalLength: 28,
      identification: 1,
      dontFragment: false,
      moreFragments: false,
      fragmentOffset: 8,
      timeToLive: 64,
      protocol: 17,
      source: ip('10.0.0.2'),
      destination: ip('10.0.0.1'),
    });
    // No caller of ours does this; TCP might.
    const packet = new InboundPacket();
    packet.read(bytes, 0, 28);
    stack.icmp.portUnreachable(packet);
    expect(txDrops()).toEqual({ 'about-fragment': 1 });
  });

  it('are limited in number (RFC 1812 4.3.2.8)', () => {
    const { device, take, txDrops, clock } = host({ icmpErrorsPerSecondEach: 10 });
    for (let count = 0; count < 100; count++) device.receive([ipv4Frame(udp(9))]);
    expect(take()).toHaveLength(10);
    expect(txDrops()).toEqual({ 'rate-limit': 90 });
    clock.advance(1000);
    for (let count = 0; count < 100; count++) device.receive([ipv4Frame(udp(9))]);
    expect(take()).toHaveLength(10);
  });

  it('are counted when IPv4 cannot send them', () => {
    const { device, txDrops, stack } = host();
    device.up = false;
    device.receive([ipv4Frame(udp(9))]);
    expect(txDrops()).toEqual({ unsent: 1 });
    expect(stack.counters.icmp.txErrors).toBe(0);
  });
});

describe('ping', () => {
  const code = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'answered',
      (error: unknown) => (error as { code: string }).code,
    );

  it('is answered', async () => {
    const subject = host();
    const { clock, stack, take, peer, receive } = subject;
    stack.ipv4.send(ip('10.0.0.1').value, peer.value, 99, 0, ANY_OPTIONS);
    take();
    const timers = clock.pending;
    const reply = stack.ping(peer, { octets: 100, timeToLive: 9 });
    const request = open(take()[0]);
    expect(request?.header).toMatchObject({ source: ip('10.0.0.1'), destination: peer, timeToLive: 9 });
    expect(request?.message).toMatchObject({ type: 8, code: 0 });
    clock.advance(12);
    if (request !== undefined) {
      const { message } = request;
      // Wrong sequence, wrong source, wrong data, wrong length: somebody else's.
      receive({ ...message, type: 0, rest: message.rest ^ 1 });
      receive({ ...message, type: 0 }, { source: ip('10.0.0.3') });
      receive({ ...message, type: 0, data: message.data.map((octet) => octet ^ 1) });
      receive({ ...message, type: 0, data: message.data.subarray(1) });
      receive({ ...message, type: 0 }, { timeToLive: 33 });
      receive({ ...message, type: 0 });
    }
    expect(await reply).toEqual({ address: peer, octets: 100, roundTripMs: 12, timeToLive: 33 });
    expect(subject.drops()).toEqual({ 'echo-unmatched': 5 });
    expect(clock.pending).toBe(timers);
  });

  it('is told that it cannot be delivered', async () => {
    const { stack, take, peer, receive } = host();
    const reply = code(stack.ping(peer));
    const frame = take()[0];
    receive({ type: 3, code: 1, rest: 0, data: frame?.slice(14, 42) ?? hex('') }, { source: ip('10.0.0.3') });
    expect(await reply).toBe('RFSIS_STACK_PING_UNREACHABLE');
  });

  it('is told by this host that nobody answers ARP', async () => {
    const { stack, clock } = host();
    const reply = stack.ping(ip('10.0.0.77'), { timeoutMs: 10_000 });
    const seen = expect(reply).rejects.toThrow(
      /10\.0\.0\.77 cannot be reached: this host reports ICMP type 3 code 1/,
    );
    clock.advance(5000);
    await seen;
  });

  it('gives up in time', async () => {
    const { stack, clock, peer } = host();
    const reply = code(stack.ping(peer, { timeoutMs: 50 }));
    clock.advance(50);
    expect(await reply).toBe('RFSIS_STACK_PING_TIMEOUT');
  });

  it.each([
    ['without a route', '8.8.8.8', {}, 'RFSIS_STACK_PING_UNSENT', /no-route/],
    [
      'from an address that is not ours',
      '10.0.0.2',
      { source: ip('10.0.0.9') },
      'RFSIS_STACK_PING_UNSENT',
      /source-not-owned/,
    ],
    [
      'too long to be in one piece',
      '10.0.0.2',
      { octets: 1473, fragmentation: 'never' },
      'RFSIS_STACK_PING_UNSENT',
      /too-big/,
    ],
    ['longer than a datagram', '10.0.0.2', { octets: 65_508 }, 'RFSIS_STACK_OPTION_INVALID', /0 to 65507/],
    // RFC 1122 3.2.1.7: a host MUST NOT send a datagram with a TTL of zero.
    ['without a TTL', '10.0.0.2', { timeToLive: 0 }, 'RFSIS_STACK_OPTION_INVALID', /1 to 255/],
    ['with a TTL no octet holds', '10.0.0.2', { timeToLive: 256 }, 'RFSIS_STACK_OPTION_INVALID', /1 to 255/],
    ['with a time that is none', '10.0.0.2', { timeoutMs: NaN }, 'RFSIS_STACK_OPTION_INVALID', /timeoutMs/],
  ] as const)('fails %s', async (_name, to, options, expected, message) => {
    const { stack } = host();
    const reply = stack.ping(ip(to), options);
    await expect(reply).rejects.toThrow(message);
    expect(await code(reply)).toBe(expected);
  });

  it('is bounded in number, and ends with the stack', async () => {
    const { stack, peer } = host();
    const replies = Array.from({ length: 257 }, () => code(stack.ping(peer)));
    stack.close();
    const codes = await Promise.all(replies);
    expect(codes.filter((each) => each === 'RFSIS_STACK_STATE')).toHaveLength(256);
    expect(codes[256]).toBe('RFSIS_STACK_LIMIT');
    expect(await code(stack.ping(peer))).toBe('RFSIS_STACK_STATE');
  });

  it('reaches this host itself, on all its addresses', async () => {
    const { stack, clock } = host();
    const replies = ['10.0.0.1', '127.0.0.1', '127.8.8.8'].map((to) => stack.ping(ip(to), { octets: 9000 }));
    clock.advance(1);
    expect((await Promise.all(replies)).map((reply) => reply.octets)).toEqual([9000, 9000, 9000]);
  });
});
