import { ChecksumState, foldSum, type Ipv4Address, pseudoHeaderSum, writeU16 } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import type { SocketError } from '../../src/index.js';
import { emitIcmp, parseIcmp } from '../../src/icmp/message.js';
import { parseIpv4, type Ipv4Header } from '../../src/ipv4/packet.js';
import { emitUdp, parseUdp } from '../../src/udp/datagram.js';
import type { UdpDatagram } from '../../src/udp/udp-socket.js';
import { bench, brokenEquations, cidr, hex, ip, ipv4Frame, pair } from '../network.js';

interface From {
  readonly source?: string;
  readonly destination?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
}

function udpOf(payload: Uint8Array, from: From = {}): { bytes: Uint8Array; header: Partial<Ipv4Header> } {
  const source = ip(from.source ?? '10.0.0.2');
  const destination = ip(from.destination ?? '10.0.0.1');
  const bytes = new Uint8Array(8 + payload.length);
  emitUdp(bytes, 0, source, destination, {
    sourcePort: from.sourcePort ?? 1000,
    destinationPort: from.destinationPort ?? 7,
    payload,
  });
  return { bytes, header: { source, destination } };
}

function host(options: Parameters<typeof bench>[0] = {}) {
  const base = bench(options);
  const receive = (payload: Uint8Array, from: From = {}): void => {
    const { bytes, header } = udpOf(payload, from);
    base.receive(bytes, header);
  };
  const log: string[] = [];
  /** Notes what a socket of that name receives. */
  const note =
    (name: string) =>
    (datagram: UdpDatagram): void => {
      log.push(`${name} ${Buffer.from(datagram.payload).toString('hex')}`);
    };
  const drops = (): object =>
    Object.fromEntries(Object.entries(base.stack.counters.udp.rxDrops).filter(([, count]) => count > 0));
  /** The datagrams sent, as "source:port > destination:port payload". */
  const sent = (): string[] =>
    base.take().map((frame) => {
      const header = parseIpv4(frame, 14);
      const packet = header && parseUdp(frame, 34, 14 + header.totalLength);
      if (packet === undefined) return 'not UDP';
      const { source, destination } = header ?? { source: '', destination: '' };
      return `${String(source)}:${packet.sourcePort} > ${String(destination)}:${packet.destinationPort} ${Buffer.from(packet.payload).toString('hex')}`;
    });
  return { ...base, receive, log, note, drops, sent };
}

describe('UDP, input', () => {
  it('RFC 1122 4.1.3.5: tells where a datagram came from and which address it was sent to', () => {
    const { receive, stack } = host();
    stack.addAddress(cidr('10.0.0.10/24'));
    let seen: object | undefined;
    stack.udp.bind({
      port: 7,
      onDatagram: (datagram) => {
        const fields = Object.fromEntries(Object.entries(datagram));
        seen = { ...fields, length: datagram.length, text: datagram.copy().toString() };
      },
    });
    receive(Buffer.from('hello'), { destination: '10.0.0.10' });
    expect(seen).toMatchObject({
      sourceAddress: ip('10.0.0.2').value,
      sourcePort: 1000,
      destinationAddress: ip('10.0.0.10').value,
      destinationPort: 7,
      timeToLive: 64,
      typeOfService: 0,
      isUnicast: true,
      length: 5,
      text: 'hello',
    });
  });

  it('gives copies that stay, and windows that do not', () => {
    const { receive, stack } = host();
    const kept: { copy: Buffer; window: Uint8Array }[] = [];
    stack.udp.bind({
      port: 7,
      onDatagram: (datagram) => kept.push({ copy: datagram.copy(), window: datagram.payload }),
    });
    receive(hex('010203'));
    expect(kept[0]?.copy).toEqual(Buffer.from('010203', 'hex'));
    expect(kept[0]?.window).toEqual(hex('dbdbdb'));
  });

  it('takes datagrams without payload', () => {
    const { receive, stack, log, note } = host();
    stack.udp.bind({ port: 7, onDatagram: note('socket') });
    receive(hex(''));
    expect(log).toEqual(['socket ']);
  });

  it('RFC 1122 4.1.3.4: silently discards a wrong checksum, takes a missing one', () => {
    const subject = host();
    const { note, log, stack, drops, take } = subject;
    stack.udp.bind({ port: 7, onDatagram: note('socket') });
    const { bytes } = udpOf(hex('0102'));
    bytes[8] = 0xff;
    receiveRaw(subject, bytes);
    writeU16(bytes, 6, 0);
    receiveRaw(subject, bytes);
    expect([log, drops(), take()]).toEqual([['socket ff02'], { 'udp-checksum': 1 }, []]);
    expect(stack.counters.udp.rxWithoutChecksum).toBe(1);
  });

  it('takes checksums over the pseudo-header only, and counts them; unless told not to', () => {
    const partial = udpOf(hex('0102')).bytes;
    writeU16(partial, 6, foldSum(pseudoHeaderSum(ip('10.0.0.2').value, ip('10.0.0.1').value, 17, 10)));
    for (const acceptPartialChecksums of [true, false]) {
      const subject = host({ acceptPartialChecksums });
      subject.stack.udp.bind({ port: 7, onDatagram: subject.note('socket') });
      receiveRaw(subject, partial);
      expect(subject.log).toHaveLength(acceptPartialChecksums ? 1 : 0);
      expect(subject.stack.counters.udp.rxPartialChecksum).toBe(acceptPartialChecksums ? 1 : 0);
    }
  });

  it('believes a device that has verified the checksum, or says that there is none yet', () => {
    const { device, stack, note, log } = host();
    stack.udp.bind({ port: 7, onDatagram: note('socket') });
    const { bytes } = udpOf(hex('0102'));
    bytes[6] = 0x12;
    device.receive([ipv4Frame(bytes)], ChecksumState.valid);
    device.receive([ipv4Frame(bytes)], ChecksumState.partial);
    expect(log).toHaveLength(2);
    expect(stack.counters.udp.rxPartialChecksum).toBe(1);
  });

  it('takes super-frames, far longer than the MTU', () => {
    const { device, stack } = host();
    let octets = 0;
    stack.udp.bind({ port: 7, onDatagram: (datagram) => (octets = datagram.length) });
    device.receive([ipv4Frame(udpOf(new Uint8Array(65_507)).bytes)]);
    expect(octets).toBe(65_507);
    expect(stack.counters.ethernet.rxSuperFrames).toBe(1);
  });

  it('RFC 1122 4.1.3.1: tells the sender that nobody listens', () => {
    const { receive, take, drops } = host();
    receive(hex('01'), { destinationPort: 9 });
    const [frame] = take();
    const header = frame && parseIpv4(frame, 14);
    expect(frame && header && parseIcmp(frame, 34, 14 + header.totalLength)).toMatchObject({
      type: 3,
      code: 3,
    });
    expect(drops()).toEqual({ 'no-socket': 1 });
  });

  it('discards what comes from port 0, which no application could answer', () => {
    const { receive, stack, log, note, drops, take } = host();
    stack.udp.bind({ port: 7, onDatagram: note('socket') });
    receive(hex('01'), { sourcePort: 0 });
    expect([log, drops(), take()]).toEqual([[], { 'source-port-zero': 1 }, []]);
  });

  it('counts malformed datagrams', () => {
    const subject = host();
    receiveRaw(subject, hex('03e8 0007 0007 0000'));
    receiveRaw(subject, hex('03e8 0007'));
    expect(subject.drops()).toEqual({ 'udp-length': 1, 'udp-truncated': 1 });
  });

  it('gives a unicast to the most specific socket', () => {
    const { receive, stack, log, note } = host();
    stack.addAddress(cidr('10.0.0.10/24'));
    const bind = (name: string, address?: string) =>
      stack.udp.bind({
        port: 7,
        reuseAddress: true,
        address: address === undefined ? undefined : ip(address),
        onDatagram: note(name),
      });
    const connected = bind('connected');
    connected.connect(ip('10.0.0.2'), 1000);
    bind('any');
    bind('bound', '10.0.0.10');
    receive(hex('01'));
    receive(hex('02'), { sourcePort: 1001 });
    receive(hex('03'), { destination: '10.0.0.10' });
    connected.disconnect();
    receive(hex('04'));
    // Disconnected, it is put back as the latest.
    expect(log).toEqual(['connected 01', 'any 02', 'bound 03', 'connected 04']);
  });

  it('gives a broadcast or multicast to all sockets that may have it', () => {
    const { receive, stack, log, note, drops } = host();
    const bind = (name: string, address?: string) =>
      stack.udp.bind({
        port: 7,
        reuseAddress: true,
        address: address === undefined ? undefined : ip(address),
        onDatagram: note(name),
      });
    bind('first');
    bind('bound to a host address', '10.0.0.1');
    bind('bound to the broadcast address', '10.0.0.255');
    const last = bind('second');
    stack.udp.bind({ port: 7, reuseAddress: true });
    receive(hex('01'), { destination: '10.0.0.255' });
    expect(log.splice(0)).toEqual(['second 01', 'bound to the broadcast address 01', 'first 01']);
    receive(hex('02'), { destination: '224.0.0.1' });
    expect(log.splice(0)).toEqual(['second 02', 'first 02']);
    last.close();
    receive(hex('03'), { destination: '255.255.255.255' });
    expect(log.splice(0)).toEqual(['first 03']);
    receive(hex('04'), { destination: '255.255.255.255', destinationPort: 9 });
    expect(drops()).toEqual({ 'no-socket': 1 });
    expect(stack.counters.udp.rxDelivered).toBe(3);
  });

  it('does not call a socket that another one has closed, nor one without a listener', () => {
    const { receive, stack, log, note, drops } = host();
    const victim = stack.udp.bind({ port: 7, reuseAddress: true, onDatagram: note('victim') });
    stack.udp.bind({
      port: 7,
      reuseAddress: true,
      onDatagram: () => {
        victim.close();
      },
    });
    receive(hex('01'), { destination: '10.0.0.255' });
    expect(log).toEqual([]);
    stack.udp.bind({ port: 8 });
    receive(hex('02'), { destinationPort: 8 });
    expect(drops()).toEqual({ unread: 1 });
  });

  it('goes on when a listener throws; the error becomes an uncaught one, outside', () => {
    const { receive, stack, clock, log, note } = host();
    stack.udp.bind({
      port: 7,
      onDatagram: () => {
        throw new Error('a mistake');
      },
    });
    stack.udp.bind({ port: 8, onDatagram: note('other') });
    receive(hex('01'));
    receive(hex('02'), { destinationPort: 8 });
    expect(log).toEqual(['other 02']);
    expect(() => {
      clock.advance(0);
    }).toThrow('a mistake');
    expect(stack.counters.udp.handlerErrors).toBe(1);
    expect(brokenEquations(stack.counters)).toEqual([]);
  });
});

describe('UDP, output', () => {
  it('answers from the address that was asked (RFC 1122 4.1.3.5)', () => {
    const { receive, stack, sent } = host();
    stack.addAddress(cidr('10.0.0.10/24'));
    stack.udp.bind({ port: 7, onDatagram: (datagram) => datagram.reply(datagram.payload) });
    receive(hex('01'), { destination: '10.0.0.10' });
    receive(hex('02'));
    receive(hex('03'), { destination: '10.0.0.255' });
    expect(sent()).toEqual([
      '10.0.0.10:7 > 10.0.0.2:1000 01',
      '10.0.0.1:7 > 10.0.0.2:1000 02',
      '10.0.0.1:7 > 10.0.0.2:1000 03',
    ]);
  });

  it('sends from the address the caller says, the bound one, or the one of the route', () => {
    const { stack, sent, peer } = host();
    stack.addAddress(cidr('10.0.0.10/24'));
    const any = stack.udp.bind({ port: 5000 });
    any.sendTo(hex('01'), peer, 7);
    any.sendTo(hex('02'), peer.value, 7, ip('10.0.0.10'));
    any.sendTo(hex('03'), peer, 7, ip('10.0.0.10').value);
    stack.udp.bind({ port: 5001, address: ip('10.0.0.10') }).sendTo(hex('04'), peer, 7);
    any.sendTo([hex('05'), hex(''), hex('0607')], peer, 7);
    expect(sent()).toEqual([
      '10.0.0.1:5000 > 10.0.0.2:7 01',
      '10.0.0.10:5000 > 10.0.0.2:7 02',
      '10.0.0.10:5000 > 10.0.0.2:7 03',
      '10.0.0.10:5001 > 10.0.0.2:7 04',
      '10.0.0.1:5000 > 10.0.0.2:7 050607',
    ]);
  });

  it('sends from an address of this host also when bound to a broadcast or multicast address', () => {
    const { stack, sent, peer } = host();
    for (const address of ['10.0.0.255', '224.0.0.1', '255.255.255.255']) {
      const socket = stack.udp.bind({ port: 5000, address: ip(address) });
      expect(socket.sendTo(hex('01'), peer, 7)).toBeUndefined();
      socket.close();
    }
    expect(sent()).toEqual(Array(3).fill('10.0.0.1:5000 > 10.0.0.2:7 01'));
  });

  it("says with Node's codes what stands against sending, and counts it", () => {
    const { stack, peer, device } = host();
    const socket = stack.udp.bind({ port: 5000 });
    const results = [
      socket.sendTo(hex('01'), ip('10.0.0.255'), 7),
      socket.sendTo(hex('01'), ip('255.255.255.255'), 7),
      socket.sendTo(hex('01'), ip('8.8.8.8'), 7),
      socket.sendTo(hex('01'), peer, 0),
      socket.sendTo(hex('01'), peer, 70_000),
      socket.sendTo(new Uint8Array(65_508), peer, 7),
      socket.sendTo([new Uint8Array(65_000), new Uint8Array(508)], peer, 7),
      socket.sendTo(hex('01'), peer, 7, ip('10.0.0.9')),
      socket.send(hex('01')),
    ];
    expect(results).toEqual([
      'EACCES',
      'EACCES',
      'ENETUNREACH',
      'EINVAL',
      'EINVAL',
      'EMSGSIZE',
      'EMSGSIZE',
      'EADDRNOTAVAIL',
      'EDESTADDRREQ',
    ]);
    socket.fragmentation = 'never';
    expect(socket.sendTo(new Uint8Array(1473), peer, 7)).toBe('EMSGSIZE');
    socket.broadcast = true;
    expect(socket.sendTo(hex('01'), ip('10.0.0.255'), 7)).toBeUndefined();
    device.up = false;
    expect(socket.sendTo(hex('01'), ip('10.0.0.255'), 7)).toBe('ENETDOWN');
    expect(socket.sendTo(hex('01'), peer, 7)).toBe('EHOSTUNREACH');
    socket.close();
    expect(socket.sendTo(hex('01'), peer, 7)).toBe('EBADF');
    expect(stack.counters.udp).toMatchObject({
      txDatagrams: 1,
      txDrops: { EACCES: 2, ENETUNREACH: 1, EINVAL: 2, EMSGSIZE: 3, EADDRNOTAVAIL: 1, ENETDOWN: 1, EBADF: 1 },
    });
  });

  it('says that there is no room: device and loopback', () => {
    const { stack, device } = host({ loopbackOctets: 10 });
    const socket = stack.udp.bind({ port: 5000 });
    expect(socket.sendTo(hex('01'), ip('127.0.0.1'), 7)).toBe('ENOBUFS');
    socket.broadcast = true;
    device.send = () => false;
    expect(socket.sendTo(hex('01'), ip('10.0.0.255'), 7)).toBe('ENOBUFS');
  });

  it('is bound to an address that is not there yet: nothing comes or goes until it is', () => {
    const { receive, stack, log, note, sent, peer } = host();
    const socket = stack.udp.bind({ port: 7, address: ip('10.0.0.10'), onDatagram: note('socket') });
    receive(hex('01'), { destination: '10.0.0.10' });
    expect(socket.sendTo(hex('02'), peer, 9)).toBe('EADDRNOTAVAIL');
    stack.addAddress(cidr('10.0.0.10/24'));
    receive(hex('03'), { destination: '10.0.0.10' });
    expect(socket.sendTo(hex('04'), peer, 9)).toBeUndefined();
    stack.removeAddress(ip('10.0.0.10'));
    receive(hex('05'), { destination: '10.0.0.10' });
    expect(socket.sendTo(hex('06'), peer, 9)).toBe('EADDRNOTAVAIL');
    expect([log, sent()]).toEqual([['socket 03'], ['10.0.0.10:7 > 10.0.0.2:9 04']]);
  });

  it('carries 65,507 octets there and back, also within one host', () => {
    const { clock, a, b } = pair();
    a.udp.bind({ port: 7, onDatagram: (datagram) => datagram.reply(datagram.payload) });
    const payload = new Uint8Array(65_507).map((_, index) => index * 7);
    for (const [client, to] of [
      [b, '10.0.0.1'] as const,
      [a, '10.0.0.1'] as const,
      [a, '127.0.0.1'] as const,
    ]) {
      let echoed: Buffer | undefined;
      const socket = client.udp.bind({ onDatagram: (datagram) => (echoed = datagram.copy()) });
      expect(socket.sendTo(payload, ip(to), 7)).toBeUndefined();
      clock.advance(10);
      expect(echoed && Buffer.compare(echoed, payload)).toBe(0);
    }
    expect(brokenEquations(a.counters)).toEqual([]);
    expect(brokenEquations(b.counters)).toEqual([]);
  });
});

describe('UDP, sockets', () => {
  const codeOf = (work: () => unknown): string => {
    try {
      work();
      return 'none';
    } catch (error) {
      return (error as SocketError).code;
    }
  };

  it('are bound to free ports that cannot be guessed (RFC 6056)', () => {
    const { stack } = host();
    const ports = Array.from({ length: 50 }, () => stack.udp.bind().localPort);
    expect(new Set(ports).size).toBe(50);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(32_768);
    expect(stack.udp.socketCount).toBe(50);
  });

  it("are refused with Node's codes", () => {
    const { stack } = host({ udpSockets: 3, ephemeralPortFirst: 50_000, ephemeralPortLast: 50_000 });
    const bind = (port?: number, address?: string): string =>
      codeOf(() => stack.udp.bind({ port, address: address === undefined ? undefined : ip(address) }));
    expect([bind(7), bind(7), bind(7, '10.0.0.1')]).toEqual(['none', 'EADDRINUSE', 'EADDRINUSE']);
    expect([bind(-1), bind(1.5), bind(65_536)]).toEqual(['EINVAL', 'EINVAL', 'EINVAL']);
    expect(bind(8, '0.0.0.1')).toBe('EADDRNOTAVAIL');
    expect([bind(), bind()]).toEqual(['none', 'EADDRINUSE']);
    expect([bind(9), bind(10)]).toEqual(['none', 'ENOBUFS']);
  });

  it('have options within bounds', () => {
    const { stack, peer, take } = host();
    const socket = stack.udp.bind();
    socket.timeToLive = 3;
    socket.multicastTimeToLive = 4;
    socket.typeOfService = 0xb8;
    socket.sendTo(hex('01'), peer, 7);
    socket.sendTo(hex('01'), ip('224.0.0.9'), 7);
    expect([
      socket.timeToLive,
      socket.multicastTimeToLive,
      socket.typeOfService,
      socket.fragmentation,
    ]).toEqual([3, 4, 0xb8, 'path']);
    const headers = take().map((frame) => parseIpv4(frame, 14));
    expect(headers.map((header) => [header?.timeToLive, header?.typeOfService])).toEqual([
      [3, 0xb8],
      [4, 0xb8],
    ]);
    // RFC 1122 3.2.1.7: a host MUST NOT send a TTL of zero.
    expect(codeOf(() => (socket.timeToLive = 0))).toBe('RFSIS_STACK_OPTION_INVALID');
    expect(codeOf(() => (socket.multicastTimeToLive = 256))).toBe('RFSIS_STACK_OPTION_INVALID');
    expect(codeOf(() => (socket.typeOfService = -1))).toBe('RFSIS_STACK_OPTION_INVALID');
  });

  it('are connected: fixed ends, EISCONN, and back', () => {
    const { stack, peer, sent, receive, log, note } = host();
    const socket = stack.udp.bind({ port: 5000, onDatagram: note('socket') });
    socket.connect(peer, 7);
    expect([socket.connected, socket.localAddress, socket.remoteAddress, socket.remotePort]).toEqual([
      true,
      ip('10.0.0.1').value,
      peer.value,
      7,
    ]);
    expect(String(socket)).toBe('udp 10.0.0.1:5000-10.0.0.2:7');
    expect(socket.send(hex('01'))).toBeUndefined();
    expect(socket.sendTo(hex('02'), peer, 7)).toBe('EISCONN');
    receive(hex('03'), { sourcePort: 7, destinationPort: 5000 });
    receive(hex('04'), { sourcePort: 8, destinationPort: 5000 });
    socket.connect(ip('10.0.0.3'), 9);
    socket.disconnect();
    socket.disconnect();
    expect(String(socket)).toBe('udp 0.0.0.0:5000');
    receive(hex('05'), { sourcePort: 8, destinationPort: 5000 });
    expect(log).toEqual(['socket 03', 'socket 05']);
    expect(sent()[0]).toBe('10.0.0.1:5000 > 10.0.0.2:7 01');
  });

  it("are refused a connection with Node's codes", () => {
    const { stack, peer } = host();
    const socket = stack.udp.bind();
    const connect = (to: Ipv4Address, port: number): string =>
      codeOf(() => {
        socket.connect(to, port);
      });
    expect(connect(ip('8.8.8.8'), 7)).toBe('ENETUNREACH');
    expect(connect(ip('0.0.0.0'), 7)).toBe('EINVAL');
    expect(connect(peer, 0)).toBe('EINVAL');
    expect(connect(ip('255.255.255.255'), 7)).toBe('EACCES');
    socket.close();
    socket.close();
    expect(connect(peer, 7)).toBe('EBADF');
    expect(stack.udp.socketCount).toBe(0);
  });
});

describe('UDP, ICMP errors', () => {
  /** A connected socket, the datagram that it sent, and a way to answer it with an error. */
  function connected(fragmentation: 'path' | 'never' = 'path') {
    const base = host();
    const errors: string[] = [];
    const socket = base.stack.udp.bind({
      port: 5000,
      onError: (error, hard) => errors.push(`${error.message} ${hard ? 'hard' : 'soft'}`),
    });
    socket.fragmentation = fragmentation;
    socket.connect(base.peer, 7);
    socket.send(new Uint8Array(100));
    const quoted = base.take()[0]?.slice(14, 42) ?? hex('');
    const fail = (type: number, code: number, data = quoted): void => {
      const bytes = new Uint8Array(8 + data.length);
      emitIcmp(bytes, 0, { type, code, rest: 0, data });
      base.device.receive([ipv4Frame(bytes, { protocol: 1, source: ip('10.0.0.254') })]);
    };
    return { ...base, socket, errors, quoted, fail };
  }

  it('RFC 1122 4.1.3.3: a connected socket hears of ECONNREFUSED', () => {
    const { errors, fail, stack } = connected();
    fail(3, 3);
    expect(errors).toEqual(['recvmsg ECONNREFUSED 10.0.0.2:7 hard']);
    expect(stack.counters.udp.rxErrors).toBe(1);
  });

  it.each([
    [3, 0, 'ENETUNREACH', 'soft'],
    [3, 1, 'EHOSTUNREACH', 'soft'],
    [3, 2, 'ENOPROTOOPT', 'hard'],
    [3, 4, 'EMSGSIZE', 'soft'],
    [3, 5, 'EOPNOTSUPP', 'soft'],
    [3, 9, 'ENETUNREACH', 'hard'],
    [3, 12, 'EHOSTUNREACH', 'soft'],
    [3, 13, 'EHOSTUNREACH', 'hard'],
    [11, 0, 'EHOSTUNREACH', 'soft'],
    [12, 0, 'EPROTO', 'hard'],
  ])('type %d code %d is %s, %s', (type, code, expected, weight) => {
    const { errors, fail } = connected();
    fail(type, code);
    expect(errors).toEqual([`recvmsg ${expected} 10.0.0.2:7 ${weight}`]);
  });

  it('knows no error for codes that do not exist', () => {
    const { errors, fail } = connected();
    fail(3, 16);
    expect(errors).toEqual([]);
  });

  it('takes "fragmentation needed" for hard when it must not fragment', () => {
    const { errors, fail } = connected('never');
    fail(3, 4);
    expect(errors).toEqual(['recvmsg EMSGSIZE 10.0.0.2:7 hard']);
  });

  it('RFC 5927: does not hear of datagrams that it did not send', () => {
    const { errors, fail, quoted, stack } = connected();
    for (const offset of [15, 19, 21, 23]) {
      const forged = quoted.slice();
      forged[offset] = (forged[offset] ?? 0) ^ 3;
      fail(3, 3, forged);
    }
    expect(errors).toEqual([]);
    expect(stack.counters.icmp.rxDrops['error-not-ours']).toBe(4);
  });

  it('does not tell sockets that are not connected, as Linux does not', () => {
    const { errors, fail, socket } = connected();
    socket.disconnect();
    fail(3, 3);
    expect(errors).toEqual([]);
  });

  it('goes on when a listener throws', () => {
    const { stack, clock } = host();
    const socket = stack.udp.bind({
      onError: () => {
        throw new Error('a mistake');
      },
    });
    socket.connect(ip('127.0.0.1'), 9);
    socket.send(hex('01'));
    // The datagram, then the error, then what the listener threw.
    expect(() => {
      clock.advance(0);
    }).toThrow('a mistake');
  });
});

/** A UDP datagram as it is, from 10.0.0.2 to 10.0.0.1. */
function receiveRaw(subject: { readonly stack: ReturnType<typeof host>['stack'] }, bytes: Uint8Array): void {
  const frame = ipv4Frame(bytes);
  subject.stack.ipv4.receive(frame, 14, frame.length, false, ChecksumState.unknown);
}
