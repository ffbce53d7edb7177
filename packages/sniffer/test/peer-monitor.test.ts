import { BeatCodec, SessionId } from '@rfsis/heartbeat';
import { EtherType, FrameBatch, Ipv4Address, MacAddress, SharedDevice, writeU16 } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { FixedTimeoutDetector, PeerMonitor, SnifferError } from '../src/index.js';
import {
  BACKUP_IP,
  BACKUP_MAC,
  CLIENT_IP,
  INTERVAL_MS,
  KEY,
  MAIN_IP,
  MAIN_MAC,
  OUR_SESSION,
  PEER_SESSION,
  SERVICE_IP,
  STRANGER_MAC,
  Segment,
  TIMEOUT_MS,
} from './fixtures.js';

const OTHER_CODEC = new BeatCodec([new Uint8Array(16).fill(7)]);
const NEW_SESSION = SessionId.fromHalves(0x0c0c_0c0c, 1);

describe('a living peer', () => {
  it('is told of with its first beat, then beat by beat', () => {
    const segment = new Segment();
    expect(segment.monitor.state).toBe('unknown');
    expect(segment.monitor.peerAgeMs).toBeUndefined();
    expect(segment.monitor.deadlineMs).toBe(Number.POSITIVE_INFINITY);
    expect(segment.monitor.echo).toBeUndefined();
    segment.send({ epoch: 9, role: 'main' });
    segment.time.advance(INTERVAL_MS);
    segment.send();
    expect(segment.told.map(({ atMs, entry }) => [atMs, entry[0]])).toEqual([
      [0, 'alive'],
      [0, 'beat'],
      [10, 'beat'],
    ]);
    expect(segment.told[0]?.entry).toEqual(['alive', segment.told[1]?.entry[1], MAIN_MAC.value]);
    expect(segment.told[1]?.entry[1]).toMatchObject({ kind: 'beat', epoch: 9, role: 'main', sequence: 1 });
    expect(segment.monitor.state).toBe('alive');
    expect(segment.monitor.peerMac).toBe(MAIN_MAC.value);
    expect(segment.monitor.peerSession).toEqual(PEER_SESSION);
    expect(segment.monitor.echo).toEqual(PEER_SESSION);
    expect(segment.monitor.lastBeat?.sequence).toBe(2);
    expect(segment.monitor.deadlineMs).toBe(40);
    segment.time.advance(4);
    expect(segment.monitor.peerAgeMs).toBe(4);
  });

  it('is heard through announcements too, which do not move its MAC', () => {
    const segment = new Segment();
    segment.send();
    segment.time.advance(20);
    segment.send({ kind: 'announcement', senderMac: STRANGER_MAC, epoch: 3 });
    expect(segment.told.at(-1)?.entry).toMatchObject([
      'announcement',
      { kind: 'announcement', epoch: 3 },
      SERVICE_IP.value,
      STRANGER_MAC.value,
    ]);
    expect(segment.monitor.peerMac).toBe(MAIN_MAC.value);
    expect(segment.monitor.lastBeat?.kind).toBe('beat');
    expect(segment.monitor.deadlineMs).toBe(50);
    expect(segment.monitor.statistics()).toMatchObject({ announcements: 1, counters: { accepted: 2 } });
  });

  it('may announce other addresses once it is known', () => {
    const other = Ipv4Address.parse('10.77.0.77');
    const segment = new Segment();
    segment.send({ kind: 'announcement', senderIp: other, targetIp: other });
    expect(segment.monitor.statistics().counters.drops.foreign).toBe(1);
    segment.send();
    segment.events();
    segment.send({ kind: 'announcement', senderIp: other, targetIp: other });
    expect(segment.told.at(-1)?.entry.slice(2)).toEqual([other.value, MAIN_MAC.value]);
  });

  it('may probe for the service address', () => {
    const segment = new Segment();
    segment.send();
    segment.events();
    segment.send({ kind: 'probe' });
    expect(segment.told.map(({ entry }) => entry[0])).toEqual(['beat']);
    expect(segment.told[0]?.entry[1]).toMatchObject({ kind: 'probe' });
    expect(segment.monitor.lastBeat?.kind).toBe('beat');
  });

  it('may change its MAC', () => {
    const segment = new Segment();
    segment.send();
    segment.send({ senderMac: STRANGER_MAC });
    expect(segment.monitor.peerMac).toBe(STRANGER_MAC.value);
  });

  it('is answered when it says hello, known as it is', () => {
    const segment = new Segment();
    segment.send();
    segment.events();
    segment.send({ kind: 'hello' });
    expect(segment.events()).toEqual(['beat', 'hello']);
  });
});

describe('death', () => {
  it('comes when the detector says so, not before and not twice', () => {
    const segment = new Segment();
    segment.beatFor(100);
    segment.time.advance(TIMEOUT_MS - 0.01);
    expect(segment.deaths()).toEqual([]);
    segment.time.advance(0.01);
    expect(segment.deaths()).toMatchObject([
      {
        atMs: 130,
        death: { reason: 'silence', silentMs: 30, lastBeatAtMs: 100, lastBeat: { sequence: 11 } },
      },
    ]);
    expect(segment.monitor.state).toBe('dead');
    expect(segment.monitor.deadlineMs).toBe(Number.POSITIVE_INFINITY);
    segment.time.advance(10_000);
    expect(segment.deaths()).toHaveLength(1);
    expect(segment.time.pending).toBe(0);
    expect(segment.monitor.statistics().deaths).toEqual({ silence: 1, goodbye: 0, restarted: 0 });
  });

  it('comes at once after a goodbye', () => {
    const segment = new Segment();
    segment.beatFor(20);
    segment.time.advance(3);
    segment.events();
    segment.send({ kind: 'goodbye' });
    expect(segment.told.map(({ entry }) => entry[0])).toEqual(['beat', 'dead']);
    expect(segment.deaths()).toMatchObject([
      {
        atMs: 23,
        death: { reason: 'goodbye', silentMs: 0, lastBeatAtMs: 23, lastBeat: { kind: 'goodbye' } },
      },
    ]);
    segment.time.advance(1000);
    expect(segment.deaths()).toHaveLength(1);
  });

  it('is not undone nor told again by a second goodbye', () => {
    const segment = new Segment();
    segment.send();
    segment.send({ kind: 'goodbye' });
    segment.events();
    segment.send({ kind: 'goodbye' });
    expect(segment.events()).toEqual(['beat']);
    expect(segment.monitor.state).toBe('dead');
  });

  it('ends when the same incarnation is heard again', () => {
    const segment = new Segment();
    segment.send();
    segment.time.advance(100);
    segment.events();
    segment.send();
    expect(segment.events()).toEqual(['alive', 'beat']);
    segment.time.advance(TIMEOUT_MS);
    expect(segment.events()).toEqual(['dead']);
    expect(segment.monitor.statistics()).toMatchObject({ sessions: 1, deaths: { silence: 2 } });
  });

  it('does not come from frames of others, from replays and from forgeries: they are no signs of life', () => {
    const segment = new Segment();
    const first = segment.frame();
    segment.send(first);
    for (let now = 0; now < 40; now += 5) {
      segment.send(first);
      segment.send({ codec: OTHER_CODEC });
      segment.send({ isPlain: true });
      segment.send({ session: NEW_SESSION, echo: SessionId.NONE, sequence: now + 1 });
      segment.time.advance(5);
    }
    expect(segment.deaths()).toMatchObject([{ atMs: 30 }]);
  });

  it('is not declared after close', () => {
    const segment = new Segment();
    segment.send();
    segment.monitor.close();
    segment.events();
    segment.time.advance(1000);
    expect(segment.events()).toEqual([]);
    expect(segment.time.pending).toBe(0);
  });

  it('may be answered by closing the monitor', () => {
    const segment = new Segment({
      handlers: {
        onPeerDead: () => {
          segment.monitor.close();
        },
      },
    });
    segment.send();
    segment.send({ session: NEW_SESSION, sequence: 1 });
    segment.time.advance(1000);
    expect(segment.time.pending).toBe(0);
  });
});

describe('sessions', () => {
  it('a beat that does not echo our session is a hello: no sign of life, but it is to be answered and echoed', () => {
    const segment = new Segment();
    segment.send({ echo: SessionId.NONE });
    segment.send({ echo: SessionId.fromHalves(4, 4) });
    expect(segment.told.map(({ entry }) => [entry[0], entry[2]])).toEqual([
      ['hello', MAIN_MAC.value],
      ['hello', MAIN_MAC.value],
    ]);
    expect(segment.monitor.state).toBe('unknown');
    expect(segment.monitor.peerMac).toBeUndefined();
    expect(segment.monitor.echo).toEqual(PEER_SESSION);
    expect(segment.monitor.statistics().counters.hellos).toBe(2);
  });

  it('within an established session the echo no longer matters', () => {
    const segment = new Segment();
    segment.send();
    segment.events();
    segment.send({ echo: SessionId.NONE });
    expect(segment.events()).toEqual(['beat']);
  });

  it('a goodbye of an unproven session is not worth an answer', () => {
    const segment = new Segment();
    segment.send({ kind: 'goodbye', echo: SessionId.NONE });
    expect(segment.events()).toEqual([]);
    expect(segment.monitor.statistics().counters.hellos).toBe(1);
  });

  it('a first word that is a goodbye is told, and is no life', () => {
    const segment = new Segment();
    segment.send({ kind: 'goodbye' });
    expect(segment.events()).toEqual(['beat']);
    expect(segment.monitor.state).toBe('dead');
    segment.time.advance(1000);
    expect(segment.events()).toEqual([]);
  });

  it('a new, proven session tells that the old incarnation is dead, then that the new one lives', () => {
    const segment = new Segment();
    segment.beatFor(20);
    segment.events();
    segment.time.advance(4);
    segment.send({ session: NEW_SESSION, echo: SessionId.NONE, sequence: 1 });
    expect(segment.events()).toEqual(['hello']);
    expect(segment.monitor.echo).toEqual(NEW_SESSION);
    segment.time.advance(1);
    segment.send({ session: NEW_SESSION, sequence: 2, role: 'joining' });
    expect(segment.told.map(({ entry }) => entry[0])).toEqual(['dead', 'alive', 'beat']);
    expect(segment.deaths()).toMatchObject([
      { atMs: 25, death: { reason: 'restarted', silentMs: 5, lastBeatAtMs: 20, lastBeat: { role: 'main' } } },
    ]);
    expect(segment.monitor.peerSession).toEqual(NEW_SESSION);
    expect(segment.monitor.statistics()).toMatchObject({ sessions: 2, deaths: { restarted: 1 } });
    segment.time.advance(TIMEOUT_MS);
    expect(segment.deaths()).toHaveLength(2);
  });

  it('after the death of the old one, a new session is alive without another death', () => {
    const segment = new Segment();
    segment.send();
    segment.time.advance(1000);
    segment.events();
    segment.send({ session: NEW_SESSION, sequence: 1 });
    expect(segment.events()).toEqual(['alive', 'beat']);
  });

  it('a former session does not come back, though its beats echo ours', () => {
    const segment = new Segment();
    segment.send();
    segment.send({ session: NEW_SESSION, sequence: 1 });
    segment.events();
    segment.send();
    segment.send({ sequence: Number.MAX_SAFE_INTEGER });
    expect(segment.events()).toEqual([]);
    expect(segment.monitor.statistics().counters.drops.replayed).toBe(2);
  });

  it('when ours is renewed the peer`s goes on, and a new one of the peer must echo the renewed one', () => {
    const segment = new Segment();
    segment.send();
    const renewed = SessionId.fromHalves(5, 6);
    segment.monitor.renewSession(renewed);
    segment.events();
    segment.send();
    expect(segment.events()).toEqual(['beat']);
    segment.send({ session: NEW_SESSION, sequence: 1 });
    expect(segment.events()).toEqual(['hello']);
    segment.send({ session: NEW_SESSION, sequence: 2, echo: renewed });
    expect(segment.events()).toEqual(['dead', 'alive', 'beat']);
  });
});

describe('beats that are not believed', () => {
  const drops = (segment: Segment) =>
    Object.fromEntries(
      Object.entries(segment.monitor.statistics().counters.drops).filter(([, count]) => count > 0),
    );

  it('are counted by reason, and change nothing', () => {
    const segment = new Segment();
    segment.send();
    segment.events();
    const old = segment.frame({ sequence: 1 });
    segment.send(old);
    segment.send({ codec: OTHER_CODEC });
    segment.send({ codec: new BeatCodec() });
    segment.send(segment.frame().subarray(0, 100));
    segment.send({ session: OUR_SESSION, sequence: 50 });
    segment.send({ senderIp: CLIENT_IP });
    segment.send({ targetIp: CLIENT_IP });
    segment.send({ kind: 'announcement', targetIp: CLIENT_IP });
    segment.send({ kind: 'probe', senderIp: MAIN_IP });
    const version = segment.frame();
    version[14 + 28 + 4] = 2;
    segment.send(version);
    const foreignVersion = segment.frame({ senderIp: CLIENT_IP });
    foreignVersion[14 + 28 + 4] = 2;
    segment.send(foreignVersion);
    const role = segment.frame();
    role[14 + 28 + 6] = 99;
    segment.send(role);
    expect(drops(segment)).toEqual({
      replayed: 1,
      unauthentic: 1,
      unsigned: 1,
      truncated: 1,
      own: 1,
      foreign: 5,
      version: 1,
      malformed: 1,
    });
    expect(segment.events().filter((event) => event !== 'rejected' && event !== 'peer-use')).toEqual([]);
    expect(segment.monitor.statistics().counters.accepted).toBe(1);
  });

  it('are told of when configurations differ, at most once a second per reason', () => {
    const segment = new Segment();
    for (let round = 0; round < 25; round++) {
      segment.send({ codec: OTHER_CODEC });
      segment.send({ codec: new BeatCodec(), senderMac: STRANGER_MAC });
      segment.time.advance(100);
    }
    const rejected = segment.told.map(({ atMs, entry }) => [atMs, ...entry]);
    expect(rejected).toEqual([
      [0, 'rejected', 'unauthentic', MAIN_MAC.value],
      [0, 'rejected', 'unsigned', STRANGER_MAC.value],
      [1000, 'rejected', 'unauthentic', MAIN_MAC.value],
      [1000, 'rejected', 'unsigned', STRANGER_MAC.value],
      [2000, 'rejected', 'unauthentic', MAIN_MAC.value],
      [2000, 'rejected', 'unsigned', STRANGER_MAC.value],
    ]);
  });

  it('a key here and none there is seen on both sides', () => {
    const keyless = new Segment({ codec: new BeatCodec() });
    keyless.send({ codec: new BeatCodec([KEY]) });
    expect(keyless.told.map(({ entry }) => entry)).toEqual([['rejected', 'unexpected-mac', MAIN_MAC.value]]);
    keyless.send();
    expect(keyless.monitor.state).toBe('alive');
  });

  it('sequences near the end of the safe integers still rise', () => {
    const segment = new Segment();
    segment.send({ sequence: Number.MAX_SAFE_INTEGER - 1 });
    segment.send({ sequence: Number.MAX_SAFE_INTEGER });
    segment.send({ sequence: Number.MAX_SAFE_INTEGER });
    segment.send({ sequence: 1 });
    expect(segment.monitor.statistics().counters).toMatchObject({ accepted: 2, drops: { replayed: 2 } });
  });

  it('lost ones are counted by the gaps they leave', () => {
    const segment = new Segment();
    for (const sequence of [5, 6, 9, 10, 20]) segment.send({ sequence });
    expect(segment.monitor.statistics().lost).toBe(2 + 9);
  });
});

describe('a flood of forgeries', () => {
  it('is verified within a budget, and the peer is heard all the same', () => {
    const segment = new Segment({ budget: { perSecond: 100, burst: 10 } });
    let verified = 0;
    const verify = segment.codec.verify.bind(segment.codec);
    segment.codec.verify = (...parameters) => {
      verified++;
      return verify(...parameters);
    };
    segment.send();
    for (let round = 0; round < 100; round++) {
      segment.time.advance(INTERVAL_MS);
      for (let forgery = 0; forgery < 50; forgery++) {
        segment.send({ codec: OTHER_CODEC, ethernetSource: STRANGER_MAC, session: NEW_SESSION, sequence: 1 });
        segment.send({ codec: OTHER_CODEC, ethernetSource: STRANGER_MAC, sequence: 1000 });
      }
      // The forgeries have left nothing of the budget.
      segment.send();
    }
    const { accepted, drops } = segment.monitor.statistics().counters;
    expect(accepted).toBe(101);
    expect(drops.unauthentic).toBeLessThanOrEqual(10 + 100);
    expect(drops.unauthentic + drops['over-budget']).toBe(10_000);
    expect(verified).toBe(accepted + drops.unauthentic);
    expect(segment.deaths()).toEqual([]);
  });

  it('leaves room for a peer that comes back under another session once the flood ends', () => {
    const segment = new Segment({ budget: { perSecond: 100, burst: 10 } });
    for (let forgery = 0; forgery < 100; forgery++) segment.send({ codec: OTHER_CODEC, sequence: 1 });
    segment.send({ sequence: 1 });
    expect(segment.monitor.state).toBe('unknown');
    segment.time.advance(10);
    segment.send({ sequence: 2 });
    expect(segment.monitor.state).toBe('alive');
  });

  it('costs no budget when there is no key', () => {
    const segment = new Segment({ codec: new BeatCodec(), budget: { perSecond: 1, burst: 1 } });
    for (let round = 1; round < 50; round++) segment.send({ echo: SessionId.NONE });
    expect(segment.monitor.statistics().counters.hellos).toBe(49);
  });
});

describe('the watched address', () => {
  const plain = { isPlain: true, senderMac: STRANGER_MAC } as const;

  it('RFC 5227 1.1: tells claims by announcement, request, reply and probe apart', () => {
    const segment = new Segment();
    segment.send({ ...plain, senderIp: SERVICE_IP, targetIp: SERVICE_IP });
    segment.send({ ...plain, senderIp: SERVICE_IP, targetIp: CLIENT_IP, operation: 1 });
    segment.send({ ...plain, senderIp: SERVICE_IP, targetIp: CLIENT_IP, operation: 2 });
    segment.send({ ...plain, senderIp: Ipv4Address.ANY, targetIp: SERVICE_IP, operation: 1 });
    const claim = (kind: string) => ['claim', STRANGER_MAC.value, SERVICE_IP.value, kind, undefined];
    expect(segment.told.map(({ entry }) => entry)).toEqual([
      claim('announcement'),
      claim('request'),
      claim('reply'),
      claim('probe'),
    ]);
    expect(segment.monitor.statistics()).toMatchObject({ claims: 4, counters: { otherArp: 4 } });
  });

  it('is not claimed by who asks for it, nor by ARP for other addresses', () => {
    const segment = new Segment();
    segment.send({ ...plain, senderIp: CLIENT_IP, targetIp: SERVICE_IP, operation: 1 });
    segment.send({ ...plain, senderIp: CLIENT_IP, targetIp: CLIENT_IP });
    segment.send({ ...plain, senderIp: Ipv4Address.ANY, targetIp: CLIENT_IP });
    expect(segment.events()).toEqual([]);
    expect(segment.monitor.statistics().counters.otherArp).toBe(3);
  });

  it('used by the living peer is no foreign claim; used by it after its death it is one', () => {
    const segment = new Segment();
    const use = { isPlain: true, senderIp: SERVICE_IP, targetIp: CLIENT_IP, operation: 2 } as const;
    segment.send(use);
    segment.send();
    segment.send(use);
    segment.time.advance(1000);
    segment.send(use);
    expect(segment.events()).toEqual(['claim', 'alive', 'beat', 'peer-use', 'dead', 'claim']);
    expect(segment.monitor.statistics()).toMatchObject({ claims: 2, counters: { peerArp: 2, otherArp: 1 } });
  });

  it('in an authentic, new announcement is no claim; in a forged or replayed one it is', () => {
    const segment = new Segment();
    segment.send();
    const authentic = segment.frame({ kind: 'announcement' });
    segment.send(authentic);
    segment.events();
    segment.send(authentic);
    segment.send({ kind: 'announcement', codec: OTHER_CODEC, senderMac: STRANGER_MAC });
    expect(segment.told.map(({ entry }) => entry)).toEqual([
      ['peer-use', MAIN_MAC.value, SERVICE_IP.value, 'announcement', 'replayed'],
      ['rejected', 'unauthentic', STRANGER_MAC.value],
      ['claim', STRANGER_MAC.value, SERVICE_IP.value, 'announcement', 'unauthentic'],
    ]);
  });

  it('in an authentic announcement of an unproven session makes a hello', () => {
    const segment = new Segment();
    segment.send({ kind: 'announcement', echo: SessionId.NONE });
    expect(segment.told.map(({ entry }) => entry[0])).toEqual(['hello']);
    expect(segment.told[0]?.entry[1]).toMatchObject({ kind: 'announcement' });
  });

  it('with our own MAC is not reported', () => {
    const segment = new Segment();
    segment.send({
      isPlain: true,
      senderMac: BACKUP_MAC,
      ethernetSource: STRANGER_MAC,
      senderIp: SERVICE_IP,
      targetIp: SERVICE_IP,
    });
    expect(segment.events()).toEqual([]);
  });

  it('need not be configured', () => {
    const segment = new Segment({ watchAddress: undefined });
    segment.send({ ...plain, senderIp: SERVICE_IP, targetIp: SERVICE_IP });
    segment.send({ kind: 'announcement' });
    segment.send();
    expect(segment.events()).toEqual(['alive', 'beat']);
    expect(segment.monitor.statistics().counters.drops.foreign).toBe(1);
  });
});

describe('trusts', () => {
  const trusts = (segment: Segment, frame: Uint8Array) => segment.monitor.trusts(frame, 14, frame.length);

  it('an authentic announcement, before and after the monitor has handled it, but not its replay', () => {
    const segment = new Segment();
    segment.send();
    const frame = segment.frame({ kind: 'announcement' });
    expect(trusts(segment, frame)).toBe(true);
    expect(trusts(segment, frame)).toBe(true);
    segment.send(frame);
    expect(trusts(segment, frame)).toBe(true);
    segment.send(frame);
    expect(trusts(segment, frame)).toBe(false);
    segment.send();
    expect(trusts(segment, frame)).toBe(false);
  });

  it('not what is forged, foreign, our own, unproven or no trailer at all', () => {
    const segment = new Segment();
    segment.send();
    const forged = segment.frame({ kind: 'announcement', codec: OTHER_CODEC });
    expect(trusts(segment, forged)).toBe(false);
    segment.send(forged);
    expect(trusts(segment, forged)).toBe(false);
    expect(trusts(segment, segment.frame({ kind: 'announcement', session: OUR_SESSION }))).toBe(false);
    expect(
      trusts(segment, segment.frame({ kind: 'announcement', session: NEW_SESSION, echo: SessionId.NONE })),
    ).toBe(false);
    expect(trusts(segment, segment.frame({ kind: 'announcement', session: NEW_SESSION }))).toBe(true);
    expect(trusts(segment, segment.frame({ isPlain: true, senderIp: SERVICE_IP }))).toBe(false);
    expect(segment.monitor.trusts(new Uint8Array(10), 0, 10)).toBe(false);
  });

  it('not a forgery that carries the numbers of the beat that was believed last', () => {
    const segment = new Segment();
    segment.send({ sequence: 7 });
    expect(trusts(segment, segment.frame({ kind: 'announcement', codec: OTHER_CODEC, sequence: 7 }))).toBe(
      false,
    );
  });

  it('each frame of a batch, though the monitor has handled the whole batch before', () => {
    let deliver: (batch: FrameBatch) => void = () => undefined;
    const segment = new Segment();
    const device = segment.network.port({ mac: BACKUP_MAC });
    device.open = (onFrames) => {
      deliver = onFrames;
    };
    const monitor = new PeerMonitor({
      device,
      clock: segment.time,
      codec: segment.codec,
      nodeAddress: BACKUP_IP,
      peerAddress: MAIN_IP,
      session: OUR_SESSION,
      detector: new FixedTimeoutDetector(TIMEOUT_MS),
      intervalMs: INTERVAL_MS,
      watchAddress: SERVICE_IP,
      handlers: {},
    });
    monitor.open();
    const frames = [
      segment.frame({ kind: 'announcement' }),
      segment.frame({ kind: 'announcement', codec: OTHER_CODEC }),
      segment.frame(),
    ];
    const batch = new FrameBatch(new Uint8Array(4096));
    let offset = 0;
    for (const frame of frames) {
      batch.bytes.set(frame, offset);
      batch.add(offset, frame.length);
      offset += frame.length;
    }
    deliver(batch);
    const trusted = frames.map((_, index) =>
      monitor.trusts(batch.bytes, batch.offset(index) + 14, batch.offset(index) + batch.length(index)),
    );
    expect(trusted).toEqual([true, false, true]);
    deliver(FrameBatch.of(segment.frame()));
    expect(monitor.trusts(batch.bytes, 14, batch.length(0))).toBe(false);
  });

  it('an authentic probe of whatever session: two nodes that start at once do not scare each other off', () => {
    const segment = new Segment();
    const probe = segment.frame({ kind: 'probe', echo: SessionId.NONE });
    expect(trusts(segment, probe)).toBe(true);
    segment.send(probe);
    expect(segment.events()).toEqual(['hello']);
    expect(trusts(segment, probe)).toBe(true);
  });
});

describe('frames', () => {
  it('of every other kind are counted and cost nothing more', () => {
    const segment = new Segment();
    const ip = segment.frame();
    writeU16(ip, 12, EtherType.ipv4);
    segment.send(ip);
    const tagged = new Uint8Array([
      ...segment.frame().subarray(0, 12),
      0x81,
      0,
      0,
      5,
      ...segment.frame().subarray(12),
    ]);
    segment.send(tagged);
    const taggedIp = tagged.slice();
    writeU16(taggedIp, 16, EtherType.ipv4);
    segment.send(taggedIp);
    segment.send(tagged.subarray(0, 16));
    segment.send(segment.frame().subarray(0, 30));
    segment.send({ ethernetSource: BACKUP_MAC });
    segment.send({ isPlain: true, senderMac: STRANGER_MAC, senderIp: CLIENT_IP });
    const { frames, notArp, vlan, malformed, looped, otherArp } = segment.monitor.statistics().counters;
    expect({ frames, notArp, vlan, malformed, looped, otherArp }).toEqual({
      frames: 7,
      notArp: 2,
      vlan: 1,
      malformed: 2,
      looped: 1,
      otherArp: 1,
    });
    expect(segment.events()).toEqual([]);
  });

  it('with a priority tag are those of our own network', () => {
    const segment = new Segment();
    const frame = segment.frame();
    segment.send(new Uint8Array([...frame.subarray(0, 12), 0x81, 0, 0xe0, 0, ...frame.subarray(12)]));
    expect(segment.monitor.state).toBe('alive');
  });

  it('may come many in a batch, anywhere in it', () => {
    const segment = new Segment();
    const shared = segment.network.port({ mac: BACKUP_MAC });
    let deliver: (batch: FrameBatch) => void = () => undefined;
    shared.open = (onFrames) => {
      deliver = onFrames;
    };
    const monitor = new PeerMonitor({
      device: shared,
      clock: segment.time,
      codec: segment.codec,
      nodeAddress: BACKUP_IP,
      peerAddress: MAIN_IP,
      session: OUR_SESSION,
      detector: new FixedTimeoutDetector(30),
      intervalMs: 10,
      handlers: {},
    });
    monitor.open();
    const batch = new FrameBatch(new Uint8Array(4096));
    let offset = 3;
    for (let index = 0; index < 20; index++) {
      const frame = segment.frame();
      batch.bytes.set(frame, offset);
      batch.add(offset, frame.length);
      offset += frame.length + 7;
    }
    deliver(batch);
    expect(monitor.statistics()).toMatchObject({ lost: 0, counters: { frames: 20, accepted: 20 } });
  });

  it('reach it through a shared device, which it does not close for others', () => {
    const segment = new Segment();
    const shared = new SharedDevice(segment.network.port({ mac: MacAddress.parse('02:00:00:00:00:55') }));
    let others = 0;
    shared.port().open(() => others++);
    const monitor = new PeerMonitor({
      device: shared.port(),
      clock: segment.time,
      codec: segment.codec,
      nodeAddress: BACKUP_IP,
      peerAddress: MAIN_IP,
      session: OUR_SESSION,
      detector: new FixedTimeoutDetector(30),
      intervalMs: 10,
      handlers: {},
    });
    monitor.open();
    segment.send();
    expect(monitor.state).toBe('alive');
    monitor.close();
    segment.send();
    expect(others).toBe(2);
  });
});

describe('statistics', () => {
  it('tell how regularly the peer is heard and how close it was to a false alarm', () => {
    const segment = new Segment();
    expect(segment.monitor.statistics()).toMatchObject({ marginMs: undefined, peerAgeMs: undefined });
    segment.beatFor(100);
    segment.time.advance(26);
    segment.send();
    const statistics = segment.monitor.statistics();
    expect(statistics.intervals).toMatchObject({ count: 11, minMs: 10, maxMs: 26 });
    expect(statistics.intervals.meanMs).toBeCloseTo(126 / 11, 9);
    expect(statistics.marginMs).toBe(4);
    segment.monitor.resetStatistics();
    expect(segment.monitor.statistics()).toMatchObject({ marginMs: undefined, intervals: { count: 0 } });
    segment.time.advance(10);
    segment.send();
    expect(segment.monitor.statistics()).toMatchObject({ marginMs: 20, intervals: { count: 1, maxMs: 10 } });
  });

  it('leave out the time between death and resurrection', () => {
    const segment = new Segment();
    segment.send();
    segment.time.advance(500);
    segment.send();
    segment.time.advance(10);
    segment.send();
    expect(segment.monitor.statistics().intervals).toMatchObject({ count: 1, maxMs: 10 });
  });

  it('are copies', () => {
    const segment = new Segment();
    const before = segment.monitor.statistics();
    segment.send();
    expect(before.counters.accepted).toBe(0);
    expect(before.counters.drops.own).toBe(0);
  });
});

it('options that make no sense are refused', () => {
  for (const options of [
    { intervalMs: 0 },
    { graceMs: 0 },
    { stallLimitMs: -1 },
    { budget: { perSecond: 0 } },
    { budget: { burst: 0 } },
  ]) {
    expect(() => new Segment(options), JSON.stringify(options)).toThrow(SnifferError);
  }
});
