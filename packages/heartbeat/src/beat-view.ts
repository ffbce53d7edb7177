// The octets of the beat trailer, which follows the 28 octets of an Ethernet/IPv4 ARP body. All integers are big-endian.
//
//  offset octets field
//       0      4 magic, "RFSB"
//       4      1 version, 1
//       5      1 kind: 1 beat, 2 announcement, 3 hello, 4 goodbye, 5 handover, 6 took-over, 7 probe
//       6      1 role: 1 joining, 2 backup, 3 main, 4 fenced
//       7      1 flags: 1 preferred, 2 ready, 4 protected; the others are sent as 0 and not looked at
//       8      4 epoch
//      12      8 session of the sender, not 0
//      20      8 echo: the receiver's session as the sender last heard it, 0 when none
//      28      8 sequence, 1 to 2^53 - 1
//      36      8 progress, 0 to 2^53 - 1
//      44      4 interval in microseconds, not 0
//      48     16 HMAC-SHA256 over the ARP body and octets 0 to 47, first half; all 0 without a key
//      64        Ethernet padding may follow and is not looked at
//
// With the Ethernet header and the ARP body the frame has 106 octets.
import { readU32, readU8 } from '@rfsis/link';
import { KIND_CODES, ROLE_CODES, type Beat, type BeatDefect, type BeatKind, type Role } from './beat.js';
import { SessionId } from './session-id.js';

/** "RFSB" */
export const BEAT_MAGIC = 0x5246_5342;
/** The only version there is. */
export const BEAT_VERSION = 1;
/** Octets of the trailer. */
export const BEAT_TRAILER_OCTETS = 64;
/** Octets of the truncated HMAC at the end of the trailer. */
export const BEAT_MAC_OCTETS = 16;

/** Field offsets within the trailer. */
export const BeatField = {
  magic: 0,
  version: 4,
  kind: 5,
  role: 6,
  flags: 7,
  epoch: 8,
  session: 12,
  echo: 20,
  sequence: 28,
  progress: 36,
  interval: 44,
  mac: 48,
} as const;

/** Bits of the flags field. */
export const BeatFlag = { preferred: 1, ready: 2, protected: 4 } as const;

/** The first half of a 64-bit field that is still a safe integer is at most this. */
const SAFE_HIGH = 0x1f_ffff;

function byCode<T extends string>(codes: Readonly<Record<T, number>>): readonly (T | undefined)[] {
  const names: (T | undefined)[] = [];
  for (const [name, code] of Object.entries(codes) as [T, number][]) names[code] = name;
  return names;
}

const KINDS = byCode(KIND_CODES);
const ROLES = byCode(ROLE_CODES);

/** Whether a trailer begins at `offset`: four octets are compared, nothing more. */
export function hasBeatMagic(bytes: Uint8Array, offset: number, end: number): boolean {
  return offset + 4 <= end && readU32(bytes, offset) === BEAT_MAGIC;
}

/**
 * A view of one received trailer. Point it at one with {@link BeatView.read}; when that returned no defect, no accessor
 * can fail. One instance serves any number of beats in turn. Nothing here says that the beat is authentic.
 */
export class BeatView {
  #bytes: Uint8Array = new Uint8Array(BEAT_TRAILER_OCTETS);
  #offset = 0;
  kind: BeatKind = 'beat';
  role: Role = 'joining';

  /**
   * @param offset first octet after the ARP body
   * @param end first octet after the frame
   * @returns undefined when the trailer is readable, otherwise what is wrong with it
   */
  read(bytes: Uint8Array, offset: number, end: number): BeatDefect | undefined {
    if (end > bytes.length) return 'truncated';
    if (!hasBeatMagic(bytes, offset, end)) return 'not-a-beat';
    if (offset + BeatField.version >= end) return 'truncated';
    if (readU8(bytes, offset + BeatField.version) !== BEAT_VERSION) return 'version';
    if (offset + BEAT_TRAILER_OCTETS > end) return 'truncated';
    const kind = KINDS[readU8(bytes, offset + BeatField.kind)];
    const role = ROLES[readU8(bytes, offset + BeatField.role)];
    if (kind === undefined || role === undefined) return 'malformed';
    this.#bytes = bytes;
    this.#offset = offset;
    this.kind = kind;
    this.role = role;
    return this.#hasSoundNumbers() ? undefined : 'malformed';
  }

  get flags(): number {
    return readU8(this.#bytes, this.#offset + BeatField.flags);
  }

  get preferred(): boolean {
    return (this.flags & BeatFlag.preferred) !== 0;
  }

  get ready(): boolean {
    return (this.flags & BeatFlag.ready) !== 0;
  }

  get protected(): boolean {
    return (this.flags & BeatFlag.protected) !== 0;
  }

  get epoch(): number {
    return this.#u32(BeatField.epoch);
  }

  get sequence(): number {
    return this.#u64(BeatField.sequence);
  }

  get progress(): number {
    return this.#u64(BeatField.progress);
  }

  get intervalMs(): number {
    return this.#u32(BeatField.interval) / 1000;
  }

  /** {@link SessionId.high} of the sender's session. */
  get sessionHigh(): number {
    return this.#u32(BeatField.session);
  }

  /** {@link SessionId.low} of the sender's session. */
  get sessionLow(): number {
    return this.#u32(BeatField.session + 4);
  }

  /** Whether the sender's session is `session`. */
  isFrom(session: SessionId): boolean {
    return this.sessionLow === session.low && this.sessionHigh === session.high;
  }

  /** Whether the beat echoes `session`. */
  echoes(session: SessionId): boolean {
    return this.#u32(BeatField.echo + 4) === session.low && this.#u32(BeatField.echo) === session.high;
  }

  /** The sender's session, as a new value. */
  get session(): SessionId {
    return SessionId.fromOctets(this.#bytes, this.#offset + BeatField.session);
  }

  /** The echo, as a new value. */
  get echo(): SessionId {
    return SessionId.fromOctets(this.#bytes, this.#offset + BeatField.echo);
  }

  /** A copy that outlives the frame. */
  toBeat(): Beat {
    return {
      kind: this.kind,
      role: this.role,
      preferred: this.preferred,
      ready: this.ready,
      protected: this.protected,
      epoch: this.epoch,
      session: this.session,
      echo: this.echo,
      sequence: this.sequence,
      progress: this.progress,
      intervalMs: this.intervalMs,
    };
  }

  #hasSoundNumbers(): boolean {
    return (
      this.#u32(BeatField.sequence) <= SAFE_HIGH &&
      this.sequence > 0 &&
      this.#u32(BeatField.progress) <= SAFE_HIGH &&
      this.#u32(BeatField.interval) > 0 &&
      !this.isFrom(SessionId.NONE)
    );
  }

  #u32(field: number): number {
    return readU32(this.#bytes, this.#offset + field);
  }

  #u64(field: number): number {
    return this.#u32(field) * 0x1_0000_0000 + this.#u32(field + 4);
  }
}
