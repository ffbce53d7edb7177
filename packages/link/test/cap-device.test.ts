import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CapDevice, LinkError, MacAddress, VirtualClock, type CapDeviceOptions } from '../src/index.js';
import { FakeCap, FakeSysfs } from './fake-interface.js';
import { frameOf, listen, macOf, textOf } from './stations.js';

let sysfs: FakeSysfs;
let cap: FakeCap;
let clock: VirtualClock;

beforeEach(() => {
  sysfs = new FakeSysfs();
  sysfs.addEthernet('eth0', macOf(1).toString());
  cap = new FakeCap();
  clock = new VirtualClock();
});
afterEach(() => {
  sysfs.remove();
});

function make(options: Partial<CapDeviceOptions> = {}): CapDevice {
  return new CapDevice({
    interfaceName: 'eth0',
    clock,
    cap: cap.module(),
    sysfs: sysfs.directory,
    ...options,
  });
}

const fromPeer = (text: string, length?: number): Uint8Array => frameOf(macOf(2), macOf(1), text, length);
const toPeer = (text: string): Uint8Array => frameOf(macOf(1), macOf(2), text);

describe('opening', () => {
  it('is what its interface is', () => {
    expect(make()).toMatchObject({ name: 'eth0', mtu: 1500, up: true, warnings: [] });
    expect(make().mac.equals(macOf(1))).toBe(true);
  });

  it('takes ARP and IPv4 for itself and for groups, and nothing of its own, by default', () => {
    listen(make());
    expect(cap.latest.opened).toEqual({
      name: 'eth0',
      filter:
        'not ether src 02:00:00:00:00:01 and (ether dst 02:00:00:00:00:01 or ether multicast) and (arp or ip)',
      ringOctets: 32 * 1024 * 1024,
    });
  });

  it('takes what it is told to', () => {
    listen(make({ filter: 'udp port 7', promiscuous: true, bufferOctets: 1_000_000 }));
    expect(cap.latest.opened).toEqual({
      name: 'eth0',
      filter: 'not ether src 02:00:00:00:00:01 and (udp port 7)',
      ringOctets: 1_000_000,
    });
  });

  it.each([
    ['socket: Operation not permitted', 'RFSIS_LINK_NO_PRIVILEGE', /run it as root, or setcap cap_net_raw/],
    [
      'Attempt to create packet socket failed - CAP_NET_RAW may be required',
      'RFSIS_LINK_NO_PRIVILEGE',
      /as root/,
    ],
    ['No such device exists', 'RFSIS_LINK_NO_INTERFACE', /network namespace of this process/],
    ['That device is not up', 'RFSIS_LINK_OPEN_FAILED', /ip link set eth0 up/],
    [
      "can't parse filter expression: syntax error",
      'RFSIS_LINK_OPEN_FAILED',
      /the capture filter "not.*" is wrong/,
    ],
    [
      'Unable to set buffer size\nmore',
      'RFSIS_LINK_OPEN_FAILED',
      /^eth0 cannot be opened: Unable to set buffer size$/,
    ],
  ])('explains %j', (message, code, text) => {
    cap.openError = message;
    const device = make();
    expect(() => listen(device)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(text) as string }),
    );
    expect(device.send(toPeer('not open'))).toBe(false);
    // Nothing is left behind: when the reason is gone, the same device opens.
    cap.openError = undefined;
    listen(device);
    expect(device.send(toPeer('open'))).toBe(true);
    device.close();
  });

  it('refuses an interface that is missing, switched off, or not Ethernet after all', () => {
    expect(() => make({ interfaceName: 'eth9' })).toThrow(LinkError);
    const device = make();
    sysfs.set('eth0', { flags: '0x1002', operstate: 'down' });
    expect(() => listen(device)).toThrow(/^eth0 is switched off: ip link set eth0 up$/);
    sysfs.addEthernet('eth0', macOf(1).toString());
    cap.linkType = 'LINKTYPE_LINUX_SLL';
    expect(() => listen(device)).toThrow(/frames of type LINKTYPE_LINUX_SLL, not Ethernet/);
    expect(cap.latest.closed).toBe(true);
    sysfs.unset('eth0');
    expect(() => listen(device)).toThrow(/no network interface "eth0"/);
  });

  it('warns of a build of cap that aborts when the interface is switched off', () => {
    const device = make({ cap: cap.module(true) });
    listen(device);
    expect(device.warnings).toEqual([
      expect.stringMatching(/aborts this process.*CXXFLAGS=-DNDEBUG npm rebuild cap$/),
    ]);
  });

  it('opens once', () => {
    const device = make();
    listen(device);
    expect(() => listen(device)).toThrow(/eth0: the device is open already/);
    device.close();
    device.close();
    expect(() => listen(device)).toThrow(/eth0: the device is closed already/);
    expect(cap.captures).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

describe('receiving', () => {
  it('hands over each frame in one batch that is used again, not as a Buffer', () => {
    const device = make();
    const batches = new Set<object>();
    const texts: string[] = [];
    device.open((batch) => {
      batches.add(batch);
      expect([batch.count, batch.checksum(0), Buffer.isBuffer(batch.bytes)]).toEqual([1, 0, false]);
      texts.push(textOf(batch.frame(0)));
    });
    cap.latest.arrive(fromPeer('one'));
    cap.latest.arrive(fromPeer('two', 65_535));
    expect(texts).toEqual(['one', 'two']);
    expect(batches.size).toBe(1);
    expect(device.counters).toMatchObject({ rxFrames: 2, rxOctets: 65_595, rxDropped: 0 });
  });

  it('drops what it sent itself, and what is shorter than a header, without a word', () => {
    const device = make();
    const heard = listen(device);
    cap.latest.arrive(frameOf(macOf(1), MacAddress.BROADCAST, 'my own'));
    cap.latest.arrive(fromPeer('short').subarray(0, 13));
    expect([heard, device.counters.rxFrames, device.counters.rxDropped]).toEqual([[], 0, 0]);
  });

  it('sheds load, but no ARP, when frames keep the event loop from turning', () => {
    const slow: string[] = [];
    let nowMs = 0;
    const deferred: (() => void)[] = [];
    const stalled = make({
      turnBudgetMs: 10,
      clock: {
        now: () => nowMs,
        wallTime: () => nowMs,
        setTimer: () => ({ cancel: () => undefined }),
        defer: (callback) => {
          deferred.push(callback);
          return { cancel: () => undefined };
        },
      },
    });
    stalled.open((batch) => {
      nowMs += 1;
      slow.push(textOf(batch.frame(0)));
    });
    for (let index = 0; index < 40; index++) cap.latest.arrive(fromPeer(String(index)));
    expect(slow).toHaveLength(16);
    expect(stalled.counters).toMatchObject({ rxFrames: 16, rxDropped: 24 });
    const arp = fromPeer('arp');
    arp[13] = 6;
    cap.latest.arrive(arp);
    expect(slow.at(-1)).toBe('arp');
    expect(deferred).toHaveLength(1);
    deferred[0]?.();
    cap.latest.arrive(fromPeer('next turn'));
    expect(slow.at(-1)).toBe('next turn');
  });
});

describe('sending', () => {
  it('never sends without an open capture, which would crash the process', () => {
    const device = make();
    expect(device.send(toPeer('early'))).toBe(false);
    listen(device);
    expect(device.send(toPeer('in time'))).toBe(true);
    device.flush();
    device.close();
    expect(device.send(toPeer('late'))).toBe(false);
    expect(cap.latest.sent.map(textOf)).toEqual(['in time']);
    expect(device.counters).toMatchObject({ txFrames: 1, txOctets: 60, txDropped: 2 });
  });

  it('refuses what is too short or too long', () => {
    const device = make();
    listen(device);
    for (const length of [0, 13, 1515, 70_000])
      expect(device.send(new Uint8Array(80_000), length)).toBe(false);
    expect(device.send(new Uint8Array(60), 61)).toBe(false);
    expect(device.send(new Uint8Array(1514))).toBe(true);
    expect(device.counters.txDropped).toBe(5);
  });

  it('counts what the system refuses, and stays up', () => {
    const device = make();
    const states: boolean[] = [];
    listen(device, (up) => states.push(up));
    cap.sendError = 'send: No buffer space available';
    expect(device.send(toPeer('x'))).toBe(false);
    clock.advance(1);
    expect([device.counters.txDropped, device.up, states]).toEqual([1, true, []]);
  });
});

describe('the carrier', () => {
  it('is looked at every 100 ms', () => {
    const device = make();
    const states: boolean[] = [];
    listen(device, (up) => states.push(up));
    sysfs.set('eth0', { operstate: 'lowerlayerdown', carrier_changes: 3 });
    clock.advance(99);
    expect([device.up, states]).toEqual([true, []]);
    clock.advance(1);
    expect([device.up, states]).toEqual([false, [false]]);
    expect(device.send(toPeer('no carrier'))).toBe(false);
    sysfs.set('eth0', { operstate: 'up', carrier_changes: 4 });
    clock.advance(100);
    expect([device.up, states, device.send(toPeer('back'))]).toEqual([true, [false, true], true]);
    // A pulled cable does no harm to a capture.
    expect(cap.captures).toHaveLength(1);
  });

  it('is looked at as often as wanted, and is missing from the start when it is', () => {
    sysfs.set('eth0', { operstate: 'lowerlayerdown' });
    const device = make({ linkPollMs: 10 });
    const states: boolean[] = [];
    listen(device, (up) => states.push(up));
    expect(device.up).toBe(false);
    sysfs.set('eth0', { operstate: 'up' });
    clock.advance(10);
    expect([device.up, states]).toEqual([true, [true]]);
  });

  it('is looked at as soon as a send fails for it, and the owner told afterwards', () => {
    const device = make();
    const states: boolean[] = [];
    listen(device, (up) => states.push(up));
    cap.sendError = 'send: Network is down';
    sysfs.set('eth0', { flags: '0x1002', operstate: 'down', carrier_changes: 3 });
    expect(device.send(toPeer('x'))).toBe(false);
    expect([device.up, states]).toEqual([false, []]);
    clock.advance(0);
    expect(states).toEqual([false]);
    device.close();
  });

  it('says nothing of what a failed send found when the device was closed meanwhile', () => {
    const device = make();
    const states: boolean[] = [];
    listen(device, (up) => states.push(up));
    cap.sendError = 'send: No such device or address';
    sysfs.unset('eth0');
    device.send(toPeer('x'));
    device.close();
    clock.advance(1000);
    expect(states).toEqual([]);
  });
});

describe('an interface that was switched off', () => {
  it('gets a new capture when it is back, for the old one stays deaf', () => {
    const device = make();
    const states: boolean[] = [];
    const heard = listen(device, (up) => states.push(up));
    const first = cap.latest;
    sysfs.set('eth0', { flags: '0x1002', operstate: 'down', carrier_changes: 3 });
    clock.advance(100);
    sysfs.set('eth0', { flags: '0x1003', operstate: 'lowerlayerdown' });
    clock.advance(100);
    expect(cap.captures).toHaveLength(1);
    sysfs.set('eth0', { operstate: 'up', carrier_changes: 4 });
    clock.advance(100);
    expect([first.closed, cap.captures.length, states]).toEqual([true, 2, [false, true]]);
    first.arrive(fromPeer('to the old one'));
    cap.latest.arrive(fromPeer('to the new one'));
    expect(heard).toEqual(['to the new one']);
    expect(device.send(toPeer('x'))).toBe(true);
    expect(cap.latest.sent).toHaveLength(1);
  });

  it('is noticed also when it is on again before it is looked at', () => {
    const device = make();
    const states: boolean[] = [];
    listen(device, (up) => states.push(up));
    sysfs.set('eth0', { carrier_changes: 4 });
    clock.advance(100);
    expect([cap.captures.length, device.up, states]).toEqual([2, true, []]);
  });

  it('is tried again until it works', () => {
    const device = make();
    const states: boolean[] = [];
    listen(device, (up) => states.push(up));
    sysfs.set('eth0', { flags: '0x1002', operstate: 'down' });
    clock.advance(100);
    sysfs.addEthernet('eth0', macOf(1).toString());
    cap.openError = 'That device is not up';
    clock.advance(300);
    expect([device.up, device.send(toPeer('x')), states]).toEqual([false, false, [false]]);
    cap.openError = undefined;
    clock.advance(100);
    expect([device.up, device.send(toPeer('x')), states]).toEqual([true, true, [false, true]]);
  });

  it('may be removed, and be made again with the same address, not with another one', () => {
    const device = make();
    listen(device);
    sysfs.unset('eth0');
    clock.advance(100);
    expect(device.up).toBe(false);
    sysfs.addEthernet('eth0', macOf(9).toString());
    clock.advance(100);
    expect(device.up).toBe(false);
    sysfs.set('eth0', { address: macOf(1).toString(), ifindex: 8 });
    clock.advance(100);
    expect([device.up, cap.captures.length]).toEqual([true, 2]);
  });

  it('may be closed by the one who is told', () => {
    const device = make();
    listen(device, () => {
      device.close();
    });
    sysfs.set('eth0', { operstate: 'down' });
    clock.advance(1000);
    expect([device.up, clock.pending, cap.latest.closed]).toEqual([false, 0, true]);
  });
});
