// What every LinkDevice must do.
import assert from 'node:assert/strict';
import { checksum } from '../checksum.js';
import type { FrameBatch, LinkDevice } from '../device.js';
import { ETHERNET_HEADER_OCTETS, EtherType, emitEthernetHeader } from '../ethernet.js';
import { MacAddress } from '../mac-address.js';
import { readU48, writeU16 } from '../octets.js';
import type { ComplianceCase } from './compliance-case.js';

/** Two devices on one segment, fresh and not open, and what a case needs of its surroundings. */
export interface LinkDeviceFixture {
  readonly a: LinkDevice;
  readonly b: LinkDevice;
  /** Lets time pass until `condition` holds, for some seconds at the most; returns whether it held. */
  readonly until: (condition: () => boolean) => Promise<boolean>;
  /** Takes the carrier from device `a`, or gives it back. */
  readonly setCarrier?: (up: boolean) => void | Promise<void>;
}

/** Which cases apply. */
export interface LinkDeviceComplianceOptions {
  /** Whether the fixture has {@link LinkDeviceFixture.setCarrier}; default false. */
  readonly carrier?: boolean;
}

type Case = ComplianceCase<LinkDeviceFixture>;

/** A device that is open, with what it has received. */
interface Station {
  readonly device: LinkDevice;
  readonly frames: Uint8Array[];
  readonly states: boolean[];
}

function openStation(device: LinkDevice, onFrame?: (frame: Uint8Array) => void): Station {
  const frames: Uint8Array[] = [];
  const states: boolean[] = [];
  const onFrames = (batch: FrameBatch): void => {
    assert.ok(batch.count > 0, 'a batch is not empty');
    assert.ok(!Buffer.isBuffer(batch.bytes), 'a frame can be copied with slice()');
    for (let index = 0; index < batch.count; index++) {
      assert.ok(
        batch.offset(index) + batch.length(index) <= batch.bytes.length,
        'a frame lies within its batch',
      );
      const frame = batch.frame(index).slice();
      frames.push(frame);
      onFrame?.(frame);
    }
  };
  device.open(onFrames, (up) => states.push(up));
  return { device, frames, states };
}

// Fields of the IPv4 header, from the start of the frame
const IP_LENGTH = 16;
const IP_TTL = 22;
const IP_CHECKSUM = 24;
const IP_ADDRESSES = 26;
const IP_END = 34;

/**
 * A frame of `length` octets whose payload follows from `seed`: a datagram of RFC 3692's experimental protocol 253 between
 * addresses of RFC 5737, right in every field, for bridges drop wrong ones.
 */
function frameOf(source: LinkDevice, destination: MacAddress, length: number, seed: number): Uint8Array {
  const frame = new Uint8Array(length);
  const start = emitEthernetHeader(frame, 0, destination.value, source.mac.value, EtherType.ipv4);
  frame[start] = 0x45;
  writeU16(frame, IP_LENGTH, length - start);
  writeU16(frame, IP_TTL, 0x01fd);
  frame.set([192, 0, 2, 1, 192, 0, 2, 2], IP_ADDRESSES);
  writeU16(frame, IP_CHECKSUM, checksum(frame, start, IP_END - start));
  for (let index = IP_END; index < length; index++) frame[index] = seed + index * 7;
  return frame;
}

/** Real networks carry frames of others too: only those of `source` count. */
function from(source: LinkDevice, station: Station): Uint8Array[] {
  return station.frames.filter((frame) => readU48(frame, 6) === source.mac.value);
}

/** Waits until all that was under way from `a` to `b` before this call has arrived. */
async function drain(fixture: LinkDeviceFixture, a: Station, b: Station): Promise<void> {
  const sentinel = frameOf(a.device, b.device.mac, 77, 0xd7);
  assert.ok(a.device.send(sentinel));
  a.device.flush();
  assert.ok(
    await fixture.until(() => from(a.device, b).some((frame) => Buffer.compare(frame, sentinel) === 0)),
  );
}

const frameCases: readonly Case[] = [
  {
    name: 'describes itself: a name, a unicast MAC address, an MTU, zeroed counters',
    run: async ({ a, b }) => {
      for (const device of [a, b]) {
        assert.ok(device.name.length > 0);
        assert.ok(!device.mac.isGroup && !device.mac.equals(MacAddress.ZERO));
        assert.ok(Number.isInteger(device.mtu) && device.mtu >= 68, 'RFC 791: at least 68 octets');
        assert.ok(device.offload.segmentationOctets >= 0);
        assert.deepEqual(
          Object.values(device.counters).filter((count) => count !== 0),
          [],
        );
      }
      assert.ok(!a.mac.equals(b.mac));
      return Promise.resolve();
    },
  },
  {
    name: 'carries unicast frames octet for octet, once, in order, in both directions',
    run: async (fixture) => {
      const a = openStation(fixture.a);
      const b = openStation(fixture.b);
      const forth: Uint8Array[] = [];
      const back: Uint8Array[] = [];
      for (let index = 0; index < 40; index++) {
        forth.push(frameOf(a.device, b.device.mac, 60 + index * 7, index));
        back.push(frameOf(b.device, a.device.mac, 300 - index, index));
        assert.ok(a.device.send(forth[index] as Uint8Array));
        assert.ok(b.device.send(back[index] as Uint8Array));
      }
      a.device.flush();
      b.device.flush();
      await fixture.until(() => from(a.device, b).length >= 40 && from(b.device, a).length >= 40);
      assert.deepEqual(from(a.device, b), forth);
      assert.deepEqual(from(b.device, a), back);
    },
  },
  {
    name: 'carries a frame of the full MTU',
    run: async (fixture) => {
      const [a, b] = [openStation(fixture.a), openStation(fixture.b)];
      const mtu = Math.min(a.device.mtu, b.device.mtu);
      const frame = frameOf(a.device, b.device.mac, mtu + ETHERNET_HEADER_OCTETS, 1);
      assert.ok(a.device.send(frame));
      a.device.flush();
      assert.ok(await fixture.until(() => from(a.device, b).length > 0));
      assert.deepEqual(from(a.device, b), [frame]);
    },
  },
  {
    name: 'carries broadcasts and multicasts',
    run: async (fixture) => {
      const [a, b] = [openStation(fixture.a), openStation(fixture.b)];
      const broadcast = frameOf(a.device, MacAddress.BROADCAST, 60, 2);
      const multicast = frameOf(a.device, MacAddress.parse('01:00:5e:00:00:01'), 61, 3);
      assert.ok(a.device.send(broadcast) && a.device.send(multicast));
      a.device.flush();
      await fixture.until(() => from(a.device, b).length >= 2);
      assert.deepEqual(from(a.device, b), [broadcast, multicast]);
    },
  },
  {
    name: 'does not receive its own transmissions',
    run: async (fixture) => {
      const [a, b] = [openStation(fixture.a), openStation(fixture.b)];
      for (const destination of [MacAddress.BROADCAST, b.device.mac, a.device.mac]) {
        a.device.send(frameOf(a.device, destination, 60, 4));
      }
      a.device.flush();
      await drain(fixture, a, b);
      await drain(fixture, b, a);
      assert.deepEqual(from(a.device, a), []);
    },
  },
];

const sendCases: readonly Case[] = [
  {
    name: 'sends the first octets of a longer buffer, and windows that do not begin at zero',
    run: async (fixture) => {
      const [a, b] = [openStation(fixture.a), openStation(fixture.b)];
      const frame = frameOf(a.device, b.device.mac, 90, 5);
      const storage = new Uint8Array(200).fill(0xee);
      storage.set(frame, 13);
      assert.ok(a.device.send(storage.subarray(13), 90));
      assert.ok(a.device.send(storage.subarray(13, 103)));
      assert.ok(a.device.send(Buffer.from(frame)));
      a.device.flush();
      await fixture.until(() => from(a.device, b).length >= 3);
      assert.deepEqual(from(a.device, b), [frame, frame, frame]);
    },
  },
  {
    name: 'gives the buffer back to its owner when send() returns',
    run: async (fixture) => {
      const [a, b] = [openStation(fixture.a), openStation(fixture.b)];
      const expected: Uint8Array[] = [];
      const buffer = new Uint8Array(80);
      for (let seed = 10; seed < 20; seed++) {
        buffer.set(frameOf(a.device, b.device.mac, 80, seed));
        expected.push(buffer.slice());
        assert.ok(a.device.send(buffer));
        buffer.fill(0);
      }
      a.device.flush();
      await fixture.until(() => from(a.device, b).length >= 10);
      assert.deepEqual(from(a.device, b), expected);
    },
  },
  {
    name: 'refuses frames shorter than a header or longer than it can take, without an exception',
    run: async (fixture) => {
      const [a, b] = [openStation(fixture.a), openStation(fixture.b)];
      const longest = Math.max(a.device.mtu, a.device.offload.segmentationOctets);
      const long = frameOf(a.device, b.device.mac, longest + 100, 6);
      assert.equal(a.device.send(long), false);
      assert.equal(a.device.send(long, 13), false);
      assert.equal(a.device.send(long, 0), false);
      assert.equal(a.device.send(new Uint8Array(0)), false);
      assert.equal(a.device.send(long.subarray(0, 60), 61), false, 'longer than its buffer');
      assert.equal(a.device.counters.txDropped, 5);
      await drain(fixture, a, b);
      assert.equal(from(a.device, b).length, 1);
    },
  },
  {
    name: 'may send from within the handler',
    run: async (fixture) => {
      const a = openStation(fixture.a);
      openStation(fixture.b, (frame) => {
        if (readU48(frame, 6) !== fixture.a.mac.value) return;
        fixture.b.send(frameOf(fixture.b, fixture.a.mac, frame.length, 7));
        fixture.b.flush();
      });
      assert.ok(a.device.send(frameOf(a.device, fixture.b.mac, 70, 8)));
      a.device.flush();
      assert.ok(await fixture.until(() => from(fixture.b, a).length > 0));
      assert.deepEqual(from(fixture.b, a), [frameOf(fixture.b, a.device.mac, 70, 7)]);
    },
  },
  {
    name: 'counts frames and octets',
    run: async (fixture) => {
      const [a, b] = [openStation(fixture.a), openStation(fixture.b)];
      for (const length of [60, 100, 200]) a.device.send(frameOf(a.device, b.device.mac, length, 9));
      a.device.flush();
      await fixture.until(() => from(a.device, b).length >= 3);
      assert.equal(a.device.counters.txFrames, 3);
      assert.equal(a.device.counters.txOctets, 360);
      assert.equal(a.device.counters.txDropped, 0);
      assert.ok(b.device.counters.rxFrames >= 3 && b.device.counters.rxOctets >= 360);
    },
  },
];

const stateCases: readonly Case[] = [
  {
    name: 'opens once only, and not again after close()',
    run: async ({ a }) => {
      const ignore = (): undefined => undefined;
      const refused = { name: 'LinkError', code: 'RFSIS_LINK_STATE' };
      a.open(ignore);
      assert.throws(() => {
        a.open(ignore);
      }, refused);
      a.close();
      assert.throws(() => {
        a.open(ignore);
      }, refused);
      return Promise.resolve();
    },
  },
  {
    name: 'does not throw when used before open() or closed without it',
    run: async ({ a, b }) => {
      a.send(frameOf(a, b.mac, 60, 1));
      a.flush();
      a.close();
      return Promise.resolve();
    },
  },
  {
    name: 'neither sends nor receives after close(), which may be called twice',
    run: async (fixture) => {
      const [a, b] = [openStation(fixture.a), openStation(fixture.b)];
      await drain(fixture, a, b);
      await drain(fixture, b, a);
      const before = a.frames.length;
      b.device.send(frameOf(b.device, a.device.mac, 60, 2));
      b.device.flush();
      a.device.close();
      a.device.close();
      assert.equal(a.device.up, false);
      assert.equal(a.device.send(frameOf(a.device, b.device.mac, 60, 3)), false);
      a.device.flush();
      b.device.send(frameOf(b.device, a.device.mac, 60, 4));
      b.device.flush();
      let turns = 0;
      await fixture.until(() => ++turns > 20);
      assert.equal(a.frames.length, before);
    },
  },
  {
    name: 'may be closed from within the handler',
    run: async (fixture) => {
      const a = openStation(fixture.a);
      const b = openStation(fixture.b, () => {
        fixture.b.close();
      });
      for (let seed = 0; seed < 3; seed++) a.device.send(frameOf(a.device, b.device.mac, 60, seed));
      a.device.flush();
      assert.ok(await fixture.until(() => b.frames.length > 0));
      let turns = 0;
      await fixture.until(() => ++turns > 20);
      assert.equal(b.device.up, false);
      assert.ok(b.frames.length <= 3);
    },
  },
];

const carrierCases: readonly Case[] = [
  {
    name: 'notices that the carrier goes and comes back, and works again',
    run: async (fixture) => {
      const { setCarrier } = fixture;
      assert.ok(setCarrier !== undefined, 'the fixture can cut the carrier');
      const [a, b] = [openStation(fixture.a), openStation(fixture.b)];
      await drain(fixture, a, b);
      assert.equal(a.device.up, true);
      await setCarrier(false);
      assert.ok(await fixture.until(() => a.states.length > 0), 'the handler is told');
      assert.equal(a.device.up, false);
      const dropped = a.device.counters.txDropped;
      assert.equal(a.device.send(frameOf(a.device, b.device.mac, 60, 1)), false);
      assert.equal(a.device.counters.txDropped, dropped + 1);
      await setCarrier(true);
      assert.ok(await fixture.until(() => a.states.length > 1), 'the handler is told again');
      assert.deepEqual(a.states, [false, true]);
      assert.equal(a.device.up, true);
      await drain(fixture, a, b);
      await drain(fixture, b, a);
    },
  },
];

/** The requirements of {@link LinkDevice}. */
export function linkDeviceCompliance(options: LinkDeviceComplianceOptions = {}): readonly Case[] {
  const cases = [...frameCases, ...sendCases, ...stateCases];
  return options.carrier === true ? [...cases, ...carrierCases] : cases;
}
