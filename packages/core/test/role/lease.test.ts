import {
  ChecksumState,
  EtherType,
  FrameBatch,
  Ipv4Address,
  MemorySwitch,
  NO_OFFLOAD,
  VirtualClock,
  emitEthernetHeader,
  newLinkCounters,
  type FramesHandler,
  type LinkDevice,
  type LinkStateHandler,
} from '@rfsis/link';
import { linkDeviceCompliance } from '@rfsis/link/compliance';
import { describe, expect, it } from 'vitest';
import { Lease, LeasedDevice } from '../../src/role/lease.js';
import { arpFrame, ipv4Frame, macOf, tagged } from '../frames.js';

const LIMIT_MS = 90;
const SERVICE = '10.77.0.10';
const CLIENT = '10.77.0.100';
const NODE = '10.77.0.11';

function newLease(clock = new VirtualClock()) {
  const expiries: number[] = [];
  const lease = new Lease({ clock, limitMs: LIMIT_MS, onExpired: () => expiries.push(clock.now()) });
  return { clock, lease, expiries };
}

describe('a lease', () => {
  it('permits until the last beat is too old, to the millisecond', () => {
    const { clock, lease } = newLease();
    lease.grant();
    clock.advance(50);
    lease.renew();
    clock.advance(LIMIT_MS - 0.001);
    expect(lease.permits()).toBe(true);
    clock.advance(0.001);
    expect(lease.permits()).toBe(false);
  });

  it('does not come back by a beat, only by a grant', () => {
    const { clock, lease } = newLease();
    clock.advance(LIMIT_MS);
    expect(lease.permits()).toBe(false);
    lease.renew();
    clock.advance(1);
    expect(lease.permits()).toBe(false);
    lease.grant();
    expect(lease.permits()).toBe(true);
  });

  it('reports its end once per absence, at the end of the turn, however often it is asked', () => {
    const { clock, lease, expiries } = newLease();
    clock.advance(LIMIT_MS + 10);
    expect(lease.takeExpiry()).toBe(false);
    for (let time = 0; time < 3; time++) lease.permits();
    expect(expiries).toEqual([]);
    clock.advance(0);
    expect(expiries).toEqual([LIMIT_MS + 10]);
    expect(lease.takeExpiry()).toBe(true);
    expect(lease.takeExpiry()).toBe(false);

    clock.advance(LIMIT_MS - 1);
    lease.permits();
    clock.advance(0);
    expect(expiries).toHaveLength(1);
    clock.advance(1);
    lease.permits();
    clock.advance(0);
    expect(expiries).toHaveLength(2);
    expect(lease.takeExpiry()).toBe(true);
  });

  it('does not call again for an end that nobody has taken note of', () => {
    const { clock, lease, expiries } = newLease();
    clock.advance(LIMIT_MS);
    lease.permits();
    clock.advance(LIMIT_MS);
    lease.permits();
    clock.advance(0);
    expect(expiries).toHaveLength(1);
  });
});

/** A device whose frames the test hands in and takes out. */
class ScriptedDevice implements LinkDevice {
  readonly name = 'scripted';
  readonly mac = macOf(1);
  readonly mtu = 1500;
  readonly offload = NO_OFFLOAD;
  readonly counters = newLinkCounters();
  readonly sent: { frame: Uint8Array; length: number | undefined }[] = [];
  up = true;
  flushed = 0;
  onFrames: FramesHandler = () => undefined;
  onLinkState: LinkStateHandler | undefined;

  open(onFrames: FramesHandler, onLinkState?: LinkStateHandler): void {
    this.onFrames = onFrames;
    this.onLinkState = onLinkState;
  }
  send(frame: Uint8Array, length?: number): boolean {
    this.sent.push({ frame: frame.slice(), length });
    return true;
  }
  flush(): void {
    this.flushed++;
  }
  close(): void {
    this.up = false;
  }
}

function setUp() {
  const { clock, lease, expiries } = newLease();
  const device = new ScriptedDevice();
  const leased = new LeasedDevice(device, lease, Ipv4Address.parse(SERVICE));
  const received: { offset: number; frame: Uint8Array; checksum: ChecksumState }[] = [];
  const batches: FrameBatch[] = [];
  leased.open((batch) => {
    batches.push(batch);
    for (let index = 0; index < batch.count; index++) {
      received.push({
        offset: batch.offset(index),
        frame: batch.frame(index).slice(),
        checksum: batch.checksum(index),
      });
    }
  });
  return { clock, lease, expiries, device, leased, received, batches };
}

const FROM_SERVICE = [
  ['IPv4', ipv4Frame(SERVICE, CLIENT)],
  ['ARP', arpFrame(SERVICE, SERVICE)],
] as const;
const FROM_NODE = [
  ['IPv4', ipv4Frame(NODE, SERVICE)],
  ['ARP', arpFrame(NODE, SERVICE)],
  ['an ARP probe for the service address', arpFrame('0.0.0.0', SERVICE)],
] as const;
const FOR_SERVICE = [
  ['IPv4', ipv4Frame(CLIENT, SERVICE)],
  ['ARP', arpFrame(CLIENT, SERVICE)],
  ['IPv4 with a priority tag', tagged(ipv4Frame(CLIENT, SERVICE), 0xe000)],
  ['ARP with a priority tag', tagged(arpFrame(CLIENT, SERVICE), 0)],
] as const;
const FOR_OTHERS = [
  ['IPv4 for the node', ipv4Frame(CLIENT, NODE)],
  ['ARP for the node', arpFrame(CLIENT, NODE)],
  ['ARP from the service address', arpFrame(SERVICE, NODE)],
  ['another protocol', otherProtocol()],
  ['a frame without an address', ipv4Frame(CLIENT, SERVICE).slice(0, 33)],
  ['a frame without a header', new Uint8Array(5)],
] as const;

function otherProtocol(): Uint8Array {
  const frame = ipv4Frame(CLIENT, SERVICE);
  emitEthernetHeader(frame, 0, macOf(2).value, macOf(1).value, EtherType.ipv4 + 1);
  return frame;
}

describe('with a lease', () => {
  it('frames pass in both directions as they are', () => {
    const { device, leased, received, batches } = setUp();
    for (const [, frame] of [...FROM_SERVICE, ...FROM_NODE]) expect(leased.send(frame, 60)).toBe(true);
    expect(device.sent).toHaveLength(FROM_SERVICE.length + FROM_NODE.length);
    expect(device.sent[0]).toEqual({ frame: FROM_SERVICE[0][1], length: 60 });
    const batch = FrameBatch.of(ipv4Frame(CLIENT, SERVICE));
    device.onFrames(batch);
    expect(received).toHaveLength(1);
    expect(batches[0]).toBe(batch);
  });

  it('the device is what it wraps', () => {
    const { device, leased } = setUp();
    expect(leased).toMatchObject({ name: 'scripted', mtu: 1500, up: true });
    expect([leased.mac, leased.offload, leased.counters]).toEqual([
      device.mac,
      device.offload,
      device.counters,
    ]);
    leased.flush();
    expect(device.flushed).toBe(1);
    leased.close();
    expect(leased.up).toBe(false);
  });

  it.each(linkDeviceCompliance({ carrier: true }))('$name', async ({ run }) => {
    const clock = new VirtualClock();
    const network = new MemorySwitch({ clock });
    const [a, b] = [network.port({ mac: macOf(1) }), network.port({ mac: macOf(2) })];
    const lease = new Lease({ clock, limitMs: Infinity, onExpired: () => undefined });
    await run({
      a: new LeasedDevice(a, lease, Ipv4Address.parse(SERVICE)),
      b,
      until: (condition) => clock.advanceUntil(condition, 1000),
      setCarrier: (up) => {
        if (up) a.plug();
        else a.unplug();
      },
    });
  });
});

describe('without a lease', () => {
  it.each(FROM_SERVICE)('nothing leaves from the service address: %s', (_name, frame) => {
    const { clock, device, leased } = setUp();
    clock.advance(LIMIT_MS);
    expect(leased.send(frame)).toBe(false);
    expect(device.sent).toEqual([]);
    expect(leased.leaseCounters).toEqual({ heldBackTx: 1, heldBackRx: 0 });
  });

  it.each(FROM_NODE)('what the node itself has to say leaves: %s', (_name, frame) => {
    const { clock, device, leased } = setUp();
    clock.advance(LIMIT_MS);
    expect(leased.send(frame)).toBe(true);
    expect(device.sent).toHaveLength(1);
  });

  it.each(FOR_SERVICE)('nothing for the service address is heard: %s', (_name, frame) => {
    const { clock, device, leased, batches } = setUp();
    clock.advance(LIMIT_MS);
    device.onFrames(FrameBatch.of(frame));
    expect(batches).toEqual([]);
    expect(leased.leaseCounters).toEqual({ heldBackTx: 0, heldBackRx: 1 });
  });

  it.each(FOR_OTHERS)('everything else is heard: %s', (_name, frame) => {
    const { clock, device, received } = setUp();
    clock.advance(LIMIT_MS);
    device.onFrames(FrameBatch.of(frame));
    expect(received.map((each) => each.frame)).toEqual([frame]);
  });

  it('the frames of a batch that pass keep their places, lengths and checksum states', () => {
    const { clock, device, leased, received } = setUp();
    clock.advance(LIMIT_MS);
    const frames = [
      ipv4Frame(CLIENT, NODE),
      ipv4Frame(CLIENT, SERVICE),
      arpFrame(CLIENT, NODE),
      arpFrame(CLIENT, SERVICE),
      ipv4Frame(SERVICE, NODE),
    ];
    const bytes = new Uint8Array(500);
    const batch = new FrameBatch(bytes);
    const states = [ChecksumState.partial, ChecksumState.unknown, ChecksumState.valid];
    frames.forEach((frame, index) => {
      bytes.set(frame, 7 + index * 80);
      batch.add(7 + index * 80, frame.length, states[index % 3]);
    });
    device.onFrames(batch);
    expect(received).toEqual(
      [0, 2, 4].map((index) => ({
        offset: 7 + index * 80,
        frame: frames[index],
        checksum: states[index % 3],
      })),
    );
    expect(leased.leaseCounters.heldBackRx).toBe(2);
    expect(batch.count).toBe(5);
  });

  it('the end is noticed by whatever comes first, a frame in or out', () => {
    for (const touch of [
      ({ device }: ReturnType<typeof setUp>) => {
        device.onFrames(FrameBatch.of(ipv4Frame(CLIENT, SERVICE)));
      },
      ({ leased }: ReturnType<typeof setUp>) => {
        leased.send(ipv4Frame(NODE, CLIENT));
      },
    ]) {
      const scene = setUp();
      scene.clock.advance(LIMIT_MS);
      touch(scene);
      touch(scene);
      scene.clock.advance(0);
      expect(scene.expiries).toEqual([LIMIT_MS]);
    }
  });

  it('and with a new one everything passes again', () => {
    const { clock, lease, device, leased, received } = setUp();
    clock.advance(LIMIT_MS);
    leased.send(FROM_SERVICE[0][1]);
    lease.grant();
    expect(leased.send(FROM_SERVICE[0][1])).toBe(true);
    device.onFrames(FrameBatch.of(FOR_SERVICE[0][1]));
    expect(received).toHaveLength(1);
  });
});
