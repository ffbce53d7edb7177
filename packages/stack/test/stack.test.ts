import { type MacAddress, MemorySwitch, SeededRandom, VirtualClock } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { Stack, type EthernetRxDrop } from '../src/index.js';
import { parseIpv4 } from '../src/ipv4/packet.js';
import {
  answerArp,
  bench,
  brokenEquations,
  cidr,
  hex,
  ip,
  ipv4Frame,
  mac,
  pair,
  TestDevice,
} from './network.js';

const code = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('Stack, frames', () => {
  const drops = (stack: Stack): Partial<Record<EthernetRxDrop, number>> =>
    Object.fromEntries(Object.entries(stack.counters.ethernet.rxDrops).filter(([, count]) => count > 0));
  const change = (offset: number, octets: Uint8Array): Uint8Array => {
    const frame = ipv4Frame(hex('01'), { protocol: 1 });
    frame.set(octets, offset);
    return frame;
  };
  const tagged = (tag: string): Uint8Array => {
    const frame = ipv4Frame(new Uint8Array(30), { protocol: 1 });
    return Uint8Array.of(...frame.subarray(0, 12), ...hex(tag), ...frame.subarray(12));
  };

  it.each<[string, Uint8Array, EthernetRxDrop]>([
    ['for another host', change(0, hex('02005e000009')), 'mac-foreign'],
    ['from a multicast MAC address', change(6, hex('01005e000001')), 'mac-source'],
    ['of another EtherType', change(12, hex('86dd')), 'ethertype'],
    ['with an 802.3 length', change(12, hex('0010')), 'ethertype'],
    ['tagged for a VLAN', tagged('81000005'), 'vlan'],
    ['shorter than a header', hex('02005e000001 02005e000002 08'), 'ethernet-truncated'],
    ['that ends in a tag', hex('02005e000001 02005e000002 8100 0000'), 'vlan-truncated'],
  ])('discards a frame %s', (_name, frame, reason) => {
    const { device, stack } = bench();
    device.receive([frame]);
    expect(drops(stack)).toEqual({ [reason]: 1 });
    expect(brokenEquations(stack.counters)).toEqual([]);
  });

  it('takes frames with a priority tag only (IEEE 802.1Q, VLAN 0)', () => {
    const { device, stack } = bench();
    device.receive([tagged('8100a000')]);
    expect(stack.counters.ethernet).toMatchObject({ rxFrames: 1, rxIpv4: 1 });
    expect(stack.counters.icmp.rxMessages).toBe(1);
  });

  it('takes a batch of frames, each for itself', () => {
    const { device, stack } = bench();
    const good = ipv4Frame(hex('0001'), { protocol: 200 });
    device.receive([good, change(12, hex('86dd')), good]);
    expect(stack.counters.ethernet).toMatchObject({ rxFrames: 3, rxOctets: 36 + 35 + 36, rxIpv4: 2 });
  });

  it('answers ARP for its addresses', () => {
    const { a, b, clock } = pair();
    let found: MacAddress | undefined;
    a.arp.resolve(ip('10.0.0.2'), { timeoutMs: 1000 }, (address) => (found = address));
    clock.advance(10);
    expect(found?.equals(mac(2))).toBe(true);
    expect(b.counters.arp.repliesSent).toBe(1);
  });
});

describe('Stack, life', () => {
  it('is silent until it has an address', () => {
    const device = new TestDevice();
    const stack = new Stack({ device, clock: new VirtualClock(), random: new SeededRandom(1) });
    stack.open();
    device.receive([ipv4Frame(hex('0800f7ff00000000'), { protocol: 1 })]);
    expect(device.sent).toEqual([]);
  });

  it('opens once and closes for good: no timer, no frame, no callback is left', () => {
    const { stack, device, clock, peer } = bench();
    let called = 0;
    const socket = stack.udp.bind({ port: 7, onDatagram: () => called++ });
    expect(
      code(() => {
        stack.open();
      }),
    ).toBe('RFSIS_STACK_STATE');
    socket.sendTo(hex('01'), ip('10.0.0.1'), 7);
    socket.sendTo(hex('01'), ip('10.0.0.77'), 7);
    device.receive([ipv4Frame(new Uint8Array(8), { moreFragments: true })]);
    stack.close();
    stack.close();
    device.sent = [];
    device.receive([ipv4Frame(hex('03e8000700080000'))]);
    expect(socket.sendTo(hex('01'), peer, 7)).toBe('EBADF');
    clock.advance(100_000);
    expect([called, clock.pending, device.sent, device.closed]).toEqual([0, 0, [], true]);
    expect(stack.counters.ethernet.rxDrops.closed).toBe(1);
    expect(
      code(() => {
        stack.open();
      }),
    ).toBe('RFSIS_STACK_STATE');
  });

  it('may be closed by a listener in the middle of a batch', () => {
    const { stack, device } = bench();
    let called = 0;
    stack.udp.bind({
      port: 7,
      onDatagram: () => {
        called++;
        stack.close();
      },
    });
    const frame = ipv4Frame(hex('03e8000700080000'));
    device.receive([frame, frame]);
    expect(called).toBe(1);
    expect(stack.counters.ethernet.rxDrops.closed).toBe(1);
  });

  it('can be closed while ARP gives up', () => {
    const { stack, clock } = bench();
    const unresolved: string[] = [];
    const other = bench({
      arp: {
        onUnresolved: ({ address }) => {
          unresolved.push(address.toString());
          other.stack.close();
        },
      },
    });
    other.stack.udp.bind().sendTo(hex('01'), ip('10.0.0.77'), 7);
    other.clock.advance(10_000);
    expect([unresolved, other.stack.counters.icmp.localErrors, other.clock.pending]).toEqual([
      ['10.0.0.77'],
      0,
      0,
    ]);
    stack.close();
    expect(clock.pending).toBe(0);
  });

  it('refuses a device that IPv4 cannot use, and options that make no sense', () => {
    const make = (device: TestDevice, options = {}): string =>
      code(() => new Stack({ device, clock: new VirtualClock(), random: new SeededRandom(1), ...options }));
    expect(make(new TestDevice(67))).toBe('RFSIS_STACK_OPTION_INVALID');
    expect(make(new TestDevice(68))).toBe('none');
    expect(make(new TestDevice(), { reassemblyMs: 0 })).toBe('RFSIS_STACK_OPTION_INVALID');
  });
});

describe('Stack, addresses', () => {
  it('are added and removed; a gateway comes and goes', () => {
    const { stack } = bench();
    stack.addAddress(cidr('10.0.0.10/24'));
    stack.addAddress(cidr('10.0.0.10/24'));
    expect(stack.addresses.map(String)).toEqual(['10.0.0.1/24', '10.0.0.10/24']);
    expect(stack.hasAddress(ip('10.0.0.10').value)).toBe(true);
    stack.removeAddress(ip('10.0.0.10'));
    stack.removeAddress(ip('10.0.0.10'));
    expect(stack.hasAddress(ip('10.0.0.10').value)).toBe(false);
    expect(
      code(() => {
        stack.addAddress(cidr('10.0.0.1/8'));
      }),
    ).toBe('RFSIS_STACK_ADDRESS_PREFIX');
    expect(
      code(() => {
        stack.addAddress(cidr('224.0.0.5/8'));
      }),
    ).toBe('RFSIS_STACK_ADDRESS_INVALID');
  });

  it('that were removed send nothing more, whatever was waiting', async () => {
    const { stack, device, clock, take, receive } = bench();
    const service = ip('10.0.0.10');
    stack.addAddress(cidr('10.0.0.10/24'));
    const socket = stack.udp.bind({
      port: 7,
      address: service,
      onDatagram: (datagram) => datagram.reply(hex('01')),
    });
    // Waiting for ARP, whole and in fragments; on its way to itself; half received; a ping.
    expect(socket.sendTo(hex('02'), ip('10.0.0.77'), 9)).toBeUndefined();
    expect(socket.sendTo(new Uint8Array(4000), ip('10.0.0.77'), 9)).toBeUndefined();
    expect(socket.sendTo(hex('03'), service, 7)).toBeUndefined();
    receive(new Uint8Array(8), { destination: service, moreFragments: true });
    const ping = stack.ping(ip('10.0.0.2'), { source: service, timeoutMs: 100 });
    const failed = expect(ping).rejects.toThrow(/no echo reply/);
    take();
    stack.removeAddress(service);
    answerArp({ device });
    receive(hex('03e8000700080000'), { destination: service });
    receive(hex('0800f7ff00000000'), { destination: service, protocol: 1 });
    answerArp({ device });
    clock.advance(60_000);
    await failed;
    const sources = device.sent
      .filter((frame) => frame[13] === 0)
      .map((frame) => parseIpv4(frame, 14)?.source);
    expect(sources.filter((source) => source?.equals(service))).toEqual([]);
    expect(socket.sendTo(hex('04'), ip('10.0.0.2'), 9)).toBe('EADDRNOTAVAIL');
    expect(stack.counters.ipv4).toMatchObject({ txRevoked: 0, reassembly: { abandoned: 1 } });
    expect(stack.counters.arp.txDrops['address-changed']).toBe(4);
  });

  it('are guarded down to the device: even a frame that ARP kept too long is stopped', () => {
    const { stack, device, take } = bench();
    // A frame made by hand, given to ARP as a layer above would.
    const frame = ipv4Frame(hex('01'), { source: ip('10.0.0.10'), destination: ip('10.0.0.2') });
    expect(stack.arp.transmit(ip('10.0.0.2').value, frame, frame.length)).toBe('dropped');
    expect(take()).toEqual([]);
    expect(stack.counters.ipv4.txRevoked).toBe(1);
    expect(device.sent).toEqual([]);
  });

  it('move from host to host, and the client goes on: UDP failover in its smallest form', () => {
    const clock = new VirtualClock();
    const lan = new MemorySwitch({ clock });
    const host = (number: number): Stack => {
      const device = lan.port({ mac: mac(number) });
      const stack = new Stack({ device, clock, random: new SeededRandom(number) });
      stack.open();
      stack.addAddress(cidr(`10.0.0.${number}/24`));
      stack.udp.bind({
        port: 7,
        address: ip('10.0.0.10'),
        onDatagram: (datagram) => datagram.reply(Buffer.from(`${number}:${datagram.copy().toString()}`)),
      });
      return stack;
    };
    const [main, backup, client] = [host(1), host(2), host(3)];
    const service = cidr('10.0.0.10/24');
    const answers: string[] = [];
    const socket = client.udp.bind({ onDatagram: (datagram) => answers.push(datagram.copy().toString()) });
    socket.connect(service.address, 7);
    const ask = (text: string): void => {
      socket.send(Buffer.from(text));
      clock.advance(10);
    };
    main.addAddress(service);
    ask('a');
    main.removeAddress(service.address);
    ask('lost');
    backup.addAddress(service);
    backup.arp.announce(service.address);
    clock.advance(1);
    ask('b');
    expect(answers).toEqual(['1:a', '2:b']);
    for (const stack of [main, backup, client]) expect(brokenEquations(stack.counters)).toEqual([]);
  });
});
