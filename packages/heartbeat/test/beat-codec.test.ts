import { ARP_OCTETS, ArpView } from '@rfsis/arp';
import { SeededRandom, randomBelow } from '@rfsis/link';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BEAT_TRAILER_OCTETS,
  BeatCodec,
  BeatField,
  BeatView,
  HeartbeatError,
  KIND_CODES,
  ROLE_CODES,
  SessionId,
  hasBeatMagic,
  type Beat,
  type BeatKind,
  type Role,
} from '../src/index.js';
import { BEAT, KEY, OTHER_KEY, arpPacket, hex } from './fixtures.js';

const FIELDS =
  '5246534201010307' +
  '01020304' +
  'a1a2a3a4a5a6a7a8' +
  'b1b2b3b4b5b6b7b8' +
  '0000001000000002' +
  '0000000000000003' +
  '00002904';
// Computed with Python's hmac module.
const MAC_OF_KEY = 'fd5c901a22930b80d518cb41db1652a6';
const MAC_OF_OTHER_KEY = '216296ad4944366e48005d9159f079c5';
const NO_MAC = '00'.repeat(16);

const anyU32 = fc.integer({ min: 0, max: 0xffff_ffff });
const anySession = fc
  .tuple(anyU32, anyU32)
  .filter(([high, low]) => high !== 0 || low !== 0)
  .map(([high, low]) => SessionId.fromHalves(high, low));
const anyBeat: fc.Arbitrary<Beat> = fc.record({
  kind: fc.constantFrom(...(Object.keys(KIND_CODES) as BeatKind[])),
  role: fc.constantFrom(...(Object.keys(ROLE_CODES) as Role[])),
  preferred: fc.boolean(),
  ready: fc.boolean(),
  protected: fc.boolean(),
  epoch: anyU32,
  session: anySession,
  echo: fc.oneof(anySession, fc.constant(SessionId.NONE)),
  sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  progress: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  intervalMs: fc.integer({ min: 1, max: 0xffff_ffff }).map((microseconds) => microseconds / 1000),
});

function emitted(codec: BeatCodec, beat: Beat = BEAT, extraOctets = BEAT_TRAILER_OCTETS): Uint8Array {
  const bytes = arpPacket(extraOctets);
  codec.emit(bytes, 0, beat);
  return bytes;
}

function parse(codec: BeatCodec, bytes: Uint8Array): ReturnType<BeatCodec['parse']> {
  return codec.parse(bytes, 0, ARP_OCTETS, bytes.length);
}

describe('octets of the trailer', () => {
  it('are those of the table, without a key', () => {
    const bytes = emitted(new BeatCodec());
    expect(hex(bytes.subarray(ARP_OCTETS))).toBe(FIELDS + NO_MAC);
  });

  it('end with half of the HMAC-SHA256 over ARP body and fields, with a key', () => {
    expect(hex(emitted(new BeatCodec([KEY])).subarray(ARP_OCTETS))).toBe(FIELDS + MAC_OF_KEY);
    expect(hex(emitted(new BeatCodec([OTHER_KEY])).subarray(ARP_OCTETS))).toBe(FIELDS + MAC_OF_OTHER_KEY);
  });

  it('are the same from emit and from trailer', () => {
    const codec = new BeatCodec([KEY]);
    expect(hex(codec.trailer(arpPacket(0), BEAT))).toBe(FIELDS + MAC_OF_KEY);
  });

  it('leave the ARP body and what surrounds it alone', () => {
    const bytes = new Uint8Array(5 + ARP_OCTETS + BEAT_TRAILER_OCTETS + 5).fill(0xee);
    bytes.set(arpPacket(0), 5);
    expect(new BeatCodec([KEY]).emit(bytes, 5, BEAT)).toBe(5 + ARP_OCTETS + BEAT_TRAILER_OCTETS);
    expect(hex(bytes.subarray(0, 5 + ARP_OCTETS))).toBe('ee'.repeat(5) + hex(arpPacket(0)));
    expect(hex(bytes.subarray(-5))).toBe('ee'.repeat(5));
    expect(new ArpView().read(bytes, 5, bytes.length)).toBeUndefined();
  });

  it('hold each flag in a bit of its own', () => {
    const codec = new BeatCodec();
    const none = { ...BEAT, preferred: false, ready: false, protected: false };
    const flags = (beat: Beat) => emitted(codec, beat)[ARP_OCTETS + BeatField.flags];
    expect(flags(none)).toBe(0);
    expect(flags({ ...none, preferred: true })).toBe(1);
    expect(flags({ ...none, ready: true })).toBe(2);
    expect(flags({ ...none, protected: true })).toBe(4);
  });

  it('bound values that do not fit, rather than wrap them', () => {
    const codec = new BeatCodec();
    const odd = { ...BEAT, epoch: 2 ** 32 + 5, sequence: 0, progress: -1, intervalMs: 1e12 };
    expect(parse(codec, emitted(codec, odd))).toMatchObject({
      epoch: 0xffff_ffff,
      sequence: 1,
      progress: 0,
      intervalMs: 0xffff_ffff / 1000,
    });
    expect(parse(codec, emitted(codec, { ...BEAT, progress: Number.NaN, sequence: 2 ** 60 }))).toMatchObject({
      progress: 0,
      sequence: Number.MAX_SAFE_INTEGER,
    });
  });

  it('carry the largest epoch and sequence', () => {
    const codec = new BeatCodec([KEY]);
    const last = { ...BEAT, epoch: 0xffff_ffff, sequence: Number.MAX_SAFE_INTEGER };
    expect(parse(codec, emitted(codec, last))).toEqual(last);
  });
});

describe('BeatCodec.parse', () => {
  it('gives back what was emitted, whatever it was', () => {
    fc.assert(
      fc.property(anyBeat, fc.nat(20), fc.boolean(), (beat, padding, signed) => {
        const codec = new BeatCodec(signed ? [KEY] : []);
        expect(parse(codec, emitted(codec, beat, BEAT_TRAILER_OCTETS + padding))).toEqual(beat);
      }),
    );
  });

  it('finds no beat in an ordinary ARP packet, padded or not', () => {
    const codec = new BeatCodec([KEY]);
    for (const padding of [0, 1, 3, 4, 18]) expect(parse(codec, arpPacket(padding))).toBe('not-a-beat');
  });

  it('calls every shortened trailer truncated', () => {
    const codec = new BeatCodec([KEY]);
    const bytes = emitted(codec);
    for (let octets = 4; octets < BEAT_TRAILER_OCTETS; octets++) {
      expect(parse(codec, bytes.slice(0, ARP_OCTETS + octets)), String(octets)).toBe('truncated');
    }
    for (let octets = 0; octets < 4; octets++) {
      expect(parse(codec, bytes.slice(0, ARP_OCTETS + octets)), String(octets)).toBe('not-a-beat');
    }
  });

  it('does not look beyond the end it is given', () => {
    const codec = new BeatCodec();
    const bytes = emitted(codec);
    expect(codec.parse(bytes, 0, ARP_OCTETS, bytes.length - 1)).toBe('truncated');
  });

  it('does not look beyond the octets there are, whatever end it is given', () => {
    const codec = new BeatCodec([KEY]);
    const bytes = emitted(codec);
    for (let length = 0; length < bytes.length; length++) {
      expect(codec.parse(bytes.subarray(0, length), 0, ARP_OCTETS, bytes.length)).toBe('truncated');
    }
  });

  it('refuses other versions, unknown kinds and roles, and impossible numbers', () => {
    const codec = new BeatCodec();
    const withField = (field: number, ...octets: number[]) => {
      const bytes = emitted(codec);
      bytes.set(octets, ARP_OCTETS + field);
      return parse(codec, bytes);
    };
    expect(withField(BeatField.version, 2)).toBe('version');
    expect(withField(BeatField.version, 0)).toBe('version');
    expect(withField(BeatField.kind, 0)).toBe('malformed');
    expect(withField(BeatField.kind, 8)).toBe('malformed');
    expect(withField(BeatField.role, 0)).toBe('malformed');
    expect(withField(BeatField.role, 5)).toBe('malformed');
    expect(withField(BeatField.session, 0, 0, 0, 0, 0, 0, 0, 0)).toBe('malformed');
    expect(withField(BeatField.sequence, 0, 0, 0, 0, 0, 0, 0, 0)).toBe('malformed');
    expect(withField(BeatField.sequence, 0, 0x20)).toBe('malformed');
    expect(withField(BeatField.progress, 0, 0x20)).toBe('malformed');
    expect(withField(BeatField.interval, 0, 0, 0, 0)).toBe('malformed');
    // Flags that a later minor change may use
    expect(withField(BeatField.flags, 0xff)).toMatchObject({ preferred: true, ready: true, protected: true });
  });
});

describe('keys', () => {
  it('tell the four ways in which a pair can disagree apart', () => {
    const keyless = new BeatCodec();
    const keyed = new BeatCodec([KEY]);
    expect(keyless.authenticated).toBe(false);
    expect(keyed.authenticated).toBe(true);
    expect(parse(keyed, emitted(keyless))).toBe('unsigned');
    expect(parse(keyless, emitted(keyed))).toBe('unexpected-mac');
    expect(parse(new BeatCodec([OTHER_KEY]), emitted(keyed))).toBe('unauthentic');
    expect(parse(keyed, emitted(keyed))).toEqual(BEAT);
    expect(parse(keyless, emitted(keyless))).toEqual(BEAT);
  });

  it('are changed without a gap: all verify, the first signs', () => {
    const old = new BeatCodec([KEY]);
    const oldThenNew = new BeatCodec([KEY, OTHER_KEY]);
    const newThenOld = new BeatCodec([OTHER_KEY, KEY]);
    const onlyNew = new BeatCodec([OTHER_KEY]);
    const stages = [old, oldThenNew, newThenOld, onlyNew];
    for (const [index, stage] of stages.entries()) {
      const next = stages[index + 1] ?? stage;
      // One node is a stage ahead of the other.
      expect(parse(next, emitted(stage)), `${index} to next`).toEqual(BEAT);
      expect(parse(stage, emitted(next)), `next to ${index}`).toEqual(BEAT);
    }
    expect(parse(onlyNew, emitted(old))).toBe('unauthentic');
  });

  it('notice a change of any bit of ARP body and trailer', () => {
    const codec = new BeatCodec([KEY]);
    const original = emitted(codec);
    for (let bit = 0; bit < original.length * 8; bit++) {
      const bytes = original.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(typeof parse(codec, bytes), `bit ${bit}`).toBe('string');
    }
  });

  it('are refused when too short or too many', () => {
    expect(() => new BeatCodec([new Uint8Array(15)])).toThrow(
      'a key of 15 octets is too short: expected at least 16',
    );
    expect(() => new BeatCodec([KEY, KEY, KEY, KEY, KEY])).toThrow('5 keys are too many: expected at most 4');
    try {
      new BeatCodec([new Uint8Array(0)]);
    } catch (error) {
      expect(error).toBeInstanceOf(HeartbeatError);
      expect((error as HeartbeatError).code).toBe('RFSIS_HEARTBEAT_KEY_INVALID');
    }
  });

  it('may be wiped by their owner after construction', () => {
    const key = KEY.slice();
    const codec = new BeatCodec([key]);
    key.fill(0);
    expect(hex(emitted(codec).subarray(-16))).toBe(MAC_OF_KEY);
  });
});

describe('BeatView', () => {
  it('compares sessions without copies and serves beat after beat', () => {
    const view = new BeatView();
    const other: Beat = {
      ...BEAT,
      session: SessionId.fromHalves(7, 8),
      echo: SessionId.NONE,
      role: 'backup',
    };
    expect(view.read(emitted(new BeatCodec()), ARP_OCTETS, ARP_OCTETS + BEAT_TRAILER_OCTETS)).toBeUndefined();
    expect(view.isFrom(BEAT.session)).toBe(true);
    expect(view.echoes(BEAT.echo)).toBe(true);
    expect(view.isFrom(other.session)).toBe(false);
    expect(
      view.read(emitted(new BeatCodec(), other), ARP_OCTETS, ARP_OCTETS + BEAT_TRAILER_OCTETS),
    ).toBeUndefined();
    expect(view.isFrom(other.session)).toBe(true);
    expect([view.sessionHigh, view.sessionLow]).toEqual([7, 8]);
    expect(view.echoes(SessionId.NONE)).toBe(true);
    expect(view.toBeat()).toEqual(other);
  });

  it('keeps a beat after its octets are gone', () => {
    const view = new BeatView();
    const bytes = emitted(new BeatCodec());
    view.read(bytes, ARP_OCTETS, bytes.length);
    const beat = view.toBeat();
    bytes.fill(0xdb);
    expect(beat).toEqual(BEAT);
  });

  it('knows the magic number only when all of it is there', () => {
    const bytes = emitted(new BeatCodec());
    expect(hasBeatMagic(bytes, ARP_OCTETS, ARP_OCTETS + 4)).toBe(true);
    expect(hasBeatMagic(bytes, ARP_OCTETS, ARP_OCTETS + 3)).toBe(false);
    expect(hasBeatMagic(bytes, 0, bytes.length)).toBe(false);
  });
});

/** `nx run heartbeat:fuzz` takes a million. */
const FUZZ_TRAILERS = Number(process.env['RFSIS_FUZZ_FRAMES'] ?? 100_000);

describe('fuzz', () => {
  it(
    `${FUZZ_TRAILERS} mutated and random trailers: no exception, and never a beat that was not signed`,
    { timeout: 120_000 },
    () => {
      const random = new SeededRandom(20_240_601);
      const codec = new BeatCodec([KEY, OTHER_KEY]);
      const original = emitted(codec, BEAT, BEAT_TRAILER_OCTETS + 18);
      const seen = new Map<string, number>();
      const signedOctets = ARP_OCTETS + BEAT_TRAILER_OCTETS;
      for (let round = 0; round < FUZZ_TRAILERS; round++) {
        const bytes = original.slice(
          0,
          round % 3 === 0 ? randomBelow(random, original.length + 1) : undefined,
        );
        const changes = randomBelow(random, 4);
        if (round % 7 === 0) random.fill(bytes.subarray(ARP_OCTETS + 4));
        for (let change = 0; change < changes && bytes.length > 0; change++) {
          bytes[randomBelow(random, bytes.length)] = random.uint32();
        }
        const result = codec.parse(bytes, 0, ARP_OCTETS, bytes.length);
        const outcome = typeof result === 'string' ? result : 'beat';
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
        if (outcome === 'beat') {
          expect(hex(bytes.subarray(0, signedOctets))).toBe(hex(original.subarray(0, signedOctets)));
        }
      }
      expect([...seen.keys()].sort()).toEqual([
        'beat',
        'malformed',
        'not-a-beat',
        'truncated',
        'unauthentic',
        'version',
      ]);
    },
  );
});
