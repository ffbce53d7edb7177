import { ARP_OCTETS } from '@rfsis/arp';
import { MacAddress, MemorySwitch, VirtualClock } from '@rfsis/link';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  BEAT_FRAME_OCTETS,
  BeatCodec,
  HeartbeatError,
  HeartbeatSender,
  SessionId,
  type Beat,
  type BeatKind,
  type BeatState,
  type HeartbeatSenderOptions,
} from '../src/index.js';
import { BACKUP_IP, BACKUP_MAC, KEY, MAIN_IP, MAIN_MAC, SERVICE_IP, arpPacket, hex } from './fixtures.js';
import { FreezableClock } from './freezable-clock.js';

const STATE: BeatState = {
  role: 'main',
  preferred: true,
  ready: true,
  protected: false,
  epoch: 5,
  echo: SessionId.NONE,
  progress: 77,
};
const SESSION = SessionId.parse('a1a2a3a4a5a6a7a8');

interface Heard {
  readonly atMs: number;
  readonly frame: Uint8Array;
  readonly beat: Beat;
}

let time: VirtualClock;
let clock: FreezableClock;
let network: MemorySwitch;
let heard: Heard[];
let codec: BeatCodec;

beforeEach(() => {
  time = new VirtualClock();
  clock = new FreezableClock(time);
  network = new MemorySwitch({ clock: time, latencyMs: 0 });
  heard = [];
  codec = new BeatCodec([KEY]);
});

/** A sender on a port, and a host that hears everything. */
function makeSender(options: Partial<HeartbeatSenderOptions> = {}) {
  const device = network.port({ mac: MAIN_MAC });
  device.open(() => undefined);
  const listener = network.port({ mac: BACKUP_MAC });
  listener.open((batch) => {
    const frame = batch.frame(0).slice();
    const beat = codec.parse(frame, 14, 14 + ARP_OCTETS, frame.length);
    if (typeof beat === 'string') throw new Error(beat);
    heard.push({ atMs: time.now(), frame, beat });
  });
  const sender = new HeartbeatSender({
    device,
    clock,
    codec,
    nodeAddress: MAIN_IP,
    peerAddress: BACKUP_IP,
    session: SESSION,
    intervalMs: 10,
    state: () => STATE,
    ...options,
  });
  return { sender, device };
}

describe('the frame', () => {
  it('is an ARP reply to everybody while the peer is not known, with a signed trailer', () => {
    const { sender } = makeSender();
    sender.start();
    time.advance(0);
    expect(heard).toHaveLength(1);
    const frame = heard[0]?.frame ?? new Uint8Array(0);
    expect(frame).toHaveLength(106);
    expect(BEAT_FRAME_OCTETS).toBe(106);
    expect(hex(frame.subarray(0, 14 + ARP_OCTETS))).toBe(
      'ffffffffffff' +
        '025e10000001' +
        '0806' +
        '0001080006040002' +
        '025e10000001' +
        '0a4d000b' +
        'ffffffffffff' +
        '0a4d000c',
    );
    expect(heard[0]?.beat).toEqual({ ...STATE, kind: 'beat', session: SESSION, sequence: 1, intervalMs: 10 });
    expect(sender.counters).toEqual({
      sent: 1,
      broadcast: 1,
      trailers: 0,
      suppressed: 0,
      failed: 0,
      skipped: 0,
    });
  });

  it('goes to the peer alone once its MAC is known, and to everybody again when it is not', () => {
    const { sender } = makeSender();
    const stranger = network.port({ mac: MacAddress.parse('02:00:00:00:00:99') });
    let overheard = 0;
    stranger.open(() => overheard++);
    // The switch must have learned where the peer is.
    network.forward(network.port({ mac: MacAddress.ZERO }), new Uint8Array(60));
    sender.start();
    sender.setPeerMac(BACKUP_MAC.value);
    sender.beatNow();
    sender.setPeerMac(BACKUP_MAC.value);
    sender.setPeerMac(undefined);
    sender.beatNow();
    time.advance(0);
    const destinations = heard.map(({ frame }) => hex(frame.subarray(0, 6)) + hex(frame.subarray(32, 38)));
    expect(destinations).toEqual([
      'ffffffffffffffffffffffff',
      '025e10000002025e10000002',
      'ffffffffffffffffffffffff',
    ]);
    expect(sender.counters).toMatchObject({ sent: 3, broadcast: 2 });
    expect(overheard).toBeGreaterThanOrEqual(2);
  });

  it('can be sent to another MAC once, to answer a hello', () => {
    const { sender } = makeSender();
    sender.start();
    expect(sender.beatNow('beat', 0x02_5e_10_00_00_07)).toBe(true);
    time.advance(0);
    expect(hex(heard[1]?.frame.subarray(0, 6) ?? new Uint8Array(0))).toBe('025e10000007');
    sender.beatNow();
    time.advance(0);
    expect(hex(heard[2]?.frame.subarray(0, 6) ?? new Uint8Array(0))).toBe('ffffffffffff');
  });

  it('says what the state is at that moment', () => {
    let state = STATE;
    const { sender } = makeSender({ state: () => state });
    sender.start();
    time.advance(10);
    state = {
      ...STATE,
      role: 'fenced',
      epoch: 6,
      echo: SessionId.fromHalves(1, 2),
      progress: 78,
      ready: false,
    };
    time.advance(10);
    expect(heard.map(({ beat }) => [beat.role, beat.epoch, beat.progress, beat.echo.low])).toEqual([
      ['main', 5, 77, 0],
      ['main', 5, 77, 0],
      ['fenced', 6, 78, 2],
    ]);
  });
});

describe('the grid', () => {
  it('has a beat every interval, the first one at once', () => {
    const { sender } = makeSender();
    time.advance(3);
    sender.start();
    sender.start();
    time.advance(45);
    expect(heard.map(({ atMs }) => atMs)).toEqual([3, 13, 23, 33, 43]);
    expect(heard.map(({ beat }) => beat.sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(sender.running).toBe(true);
    expect(sender.sequence).toBe(5);
  });

  it('does not drift when every timer is late', () => {
    clock.earlyMs = -1.7;
    const { sender } = makeSender();
    sender.start();
    time.advance(10_005);
    expect(heard).toHaveLength(1001);
    expect(heard.at(-1)?.atMs).toBeCloseTo(10_001.7, 6);
    const lateness = sender.lateness();
    expect(lateness.count).toBe(1000);
    expect(lateness.meanMs).toBeCloseTo(1.7, 6);
    expect(lateness.maxMs).toBeCloseTo(1.7, 6);
    expect(sender.counters.skipped).toBe(0);
  });

  it('does not run ahead when timers fire early, as those of the event loop may', () => {
    clock.earlyMs = 0.9;
    const { sender } = makeSender({ intervalMs: 2.5 });
    sender.start();
    time.advance(1001);
    expect(heard).toHaveLength(401);
    expect(heard.at(-1)?.atMs).toBeCloseTo(999.1, 6);
    expect(sender.lateness().maxMs).toBe(0);
  });

  it('waits for the rest when a timer fires much too early', () => {
    clock.share = 0.6;
    const { sender } = makeSender();
    sender.start();
    time.advance(100);
    expect(heard).toHaveLength(11);
    expect(
      Math.min(...heard.slice(1).map(({ atMs }, index) => atMs - (index + 1) * 10)),
    ).toBeGreaterThanOrEqual(-1);
  });

  it('skips what was missed in a stall: no burst, and the old grid again', () => {
    const { sender } = makeSender();
    sender.start();
    time.advance(25);
    clock.freeze();
    time.advance(102);
    expect(heard).toHaveLength(3);
    clock.thaw();
    time.advance(30);
    // The beat of 30 comes at 127, 40 to 120 are left out, 130 is on time.
    expect(heard.map(({ atMs }) => atMs)).toEqual([0, 10, 20, 127, 130, 140, 150]);
    expect(heard.map(({ beat }) => beat.sequence)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(sender.counters.skipped).toBe(9);
    expect(sender.lateness().maxMs).toBe(97);
    sender.resetStatistics();
    expect(sender.lateness().count).toBe(0);
  });

  it('property: through any stalls, at most one beat per grid time, all on or after it, none lost for ever', () => {
    const stall = fc.record({ afterMs: fc.nat(60), forMs: fc.nat(200) });
    fc.assert(
      fc.property(
        fc.array(stall, { maxLength: 8 }),
        fc.integer({ min: 1, max: 40 }),
        (stalls, intervalMs) => {
          time = new VirtualClock();
          clock = new FreezableClock(time);
          network = new MemorySwitch({ clock: time, latencyMs: 0 });
          heard = [];
          const { sender } = makeSender({ intervalMs });
          sender.start();
          for (const { afterMs, forMs } of stalls) {
            time.advance(afterMs);
            clock.freeze();
            time.advance(forMs);
            clock.thaw();
            time.advance(0);
          }
          time.advance(2 * intervalMs);
          sender.stop();
          const elapsed = time.now();
          expect(sender.counters.sent + sender.counters.skipped).toBe(Math.floor(elapsed / intervalMs) + 1);
          const slots = heard.map(({ atMs }) => Math.floor(atMs / intervalMs));
          expect(new Set(slots).size).toBe(slots.length);
          expect(elapsed - (heard.at(-1)?.atMs ?? 0)).toBeLessThanOrEqual(intervalMs);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('poll', () => {
  it('sends the beat of the grid when the timer is held up, and only once', () => {
    const { sender } = makeSender();
    sender.start();
    clock.freeze();
    time.advance(10);
    sender.poll();
    sender.poll();
    time.advance(5);
    sender.poll();
    expect(heard.map(({ atMs }) => atMs)).toEqual([0, 10]);
    clock.thaw();
    time.advance(5);
    expect(heard.map(({ atMs }) => atMs)).toEqual([0, 10, 20]);
  });

  it('does nothing before start and after stop', () => {
    const { sender } = makeSender();
    sender.poll();
    sender.start();
    sender.stop();
    time.advance(100);
    sender.poll();
    expect(heard).toHaveLength(1);
  });
});

describe('control', () => {
  it('beats besides the grid without moving it', () => {
    const { sender } = makeSender();
    sender.start();
    time.advance(14);
    expect(sender.beatNow('handover')).toBe(true);
    time.advance(8);
    expect(heard.map(({ atMs, beat }) => [atMs, beat.kind, beat.sequence])).toEqual([
      [0, 'beat', 1],
      [10, 'beat', 2],
      [14, 'handover', 3],
      [20, 'beat', 4],
    ]);
  });

  it('sends nothing before start and after stop; the sequence goes on over a pause', () => {
    const { sender } = makeSender();
    expect(sender.beatNow()).toBe(false);
    sender.start();
    time.advance(10);
    expect(sender.beatNow('goodbye')).toBe(true);
    sender.stop();
    sender.stop();
    expect(sender.running).toBe(false);
    expect(sender.beatNow()).toBe(false);
    time.advance(100);
    expect(heard.map(({ beat }) => beat.kind)).toEqual(['beat', 'beat', 'goodbye']);
    expect(time.pending).toBe(0);
    sender.start();
    time.advance(0);
    expect(heard.at(-1)?.beat.sequence).toBe(4);
  });

  it('can be stopped from within its own callbacks', () => {
    const { sender } = makeSender({
      guard: () => {
        if (time.now() >= 20) sender.stop();
        return time.now() < 20;
      },
    });
    sender.start();
    time.advance(100);
    expect(heard).toHaveLength(2);
    expect(time.pending).toBe(0);
  });

  it('asks the guard right before each frame, and is silent while it says no', () => {
    let mayTalk = true;
    const { sender } = makeSender({ guard: () => mayTalk });
    sender.start();
    time.advance(15);
    mayTalk = false;
    expect(sender.beatNow('goodbye')).toBe(false);
    time.advance(20);
    mayTalk = true;
    time.advance(10);
    expect(heard.map(({ atMs, beat }) => [atMs, beat.sequence])).toEqual([
      [0, 1],
      [10, 2],
      [40, 3],
    ]);
    expect(sender.counters).toMatchObject({ sent: 3, suppressed: 3, failed: 0 });
  });

  it('sends regular beats of the kind that the state asks for', () => {
    let kind: BeatKind = 'hello';
    const { sender } = makeSender({ state: () => ({ ...STATE, kind }) });
    sender.start();
    time.advance(10);
    sender.beatNow();
    sender.beatNow('handover');
    kind = 'beat';
    time.advance(10);
    expect(heard.map(({ beat }) => beat.kind)).toEqual(['hello', 'hello', 'hello', 'handover', 'beat']);
  });

  it('goes on under a new session when asked to, with a sequence that begins anew', () => {
    const { sender } = makeSender();
    sender.start();
    time.advance(10);
    const renewed = SessionId.fromHalves(3, 4);
    sender.renewSession(renewed);
    time.advance(10);
    expect(sender.session).toBe(renewed);
    expect(heard.map(({ beat }) => [beat.session.toString(), beat.sequence])).toEqual([
      [SESSION.toString(), 1],
      [SESSION.toString(), 2],
      [renewed.toString(), 1],
    ]);
  });

  it('does not leave a beat waiting in a device that gathers frames', () => {
    const { sender, device } = makeSender();
    const calls: string[] = [];
    device.send = () => calls.push('send') > 0;
    device.flush = () => calls.push('flush');
    sender.start();
    expect(calls).toEqual(['send', 'flush']);
  });

  it('tells of each beat that the device took', () => {
    let sent = 0;
    const { sender, device } = makeSender({ onSent: () => sent++ });
    sender.start();
    time.advance(10);
    device.unplug();
    time.advance(10);
    expect(sent).toBe(2);
  });

  it('counts what the device refuses and goes on', () => {
    const { sender, device } = makeSender();
    sender.start();
    device.unplug();
    time.advance(20);
    device.plug();
    time.advance(10);
    expect(sender.counters).toMatchObject({ sent: 2, failed: 2 });
    expect(heard.map(({ beat }) => beat.sequence)).toEqual([1, 4]);
  });

  it('refuses intervals that cannot be kept', () => {
    for (const intervalMs of [0, 0.5, -1, 60_001, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => makeSender({ intervalMs }), String(intervalMs)).toThrow(HeartbeatError);
    }
    expect(() => makeSender({ intervalMs: 0 })).toThrow(
      'an interval of 0 ms cannot be kept: expected 1 to 60000',
    );
  });
});

describe('trailers for the ARP endpoint', () => {
  it('share the sequence with the beats and cover the ARP body', () => {
    const { sender } = makeSender();
    sender.start();
    const body = arpPacket(0);
    const trailer = sender.trailer(body, 'announcement') ?? new Uint8Array(0);
    const frame = new Uint8Array([...body, ...trailer]);
    expect(codec.parse(frame, 0, ARP_OCTETS, frame.length)).toMatchObject({
      kind: 'announcement',
      sequence: 2,
      epoch: 5,
    });
    frame[27] = SERVICE_IP.value & 0xff;
    expect(codec.parse(frame, 0, ARP_OCTETS, frame.length)).toBe('unauthentic');
    sender.beatNow();
    expect(sender.sequence).toBe(3);
    expect(sender.counters.trailers).toBe(1);
  });

  it('tell probes, announcements and defences', () => {
    const { sender } = makeSender();
    const kindOf = (kind: 'announcement' | 'defence' | 'probe') => {
      const frame = new Uint8Array([...arpPacket(0), ...(sender.trailer(arpPacket(0), kind) ?? [])]);
      const beat = codec.parse(frame, 0, ARP_OCTETS, frame.length);
      return typeof beat === 'string' ? beat : beat.kind;
    };
    expect(kindOf('announcement')).toBe('announcement');
    expect(kindOf('defence')).toBe('announcement');
    expect(kindOf('probe')).toBe('probe');
  });
});
