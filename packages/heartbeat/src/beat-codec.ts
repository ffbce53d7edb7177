// Writes and signs beat trailers, reads and verifies them. The octets are described in beat-view.ts.
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { ARP_OCTETS } from '@rfsis/arp';
import { writeU32, writeU64, writeU8 } from '@rfsis/link';
import { KIND_CODES, ROLE_CODES, type Beat, type BeatDefect } from './beat.js';
import {
  BEAT_MAC_OCTETS,
  BEAT_MAGIC,
  BEAT_TRAILER_OCTETS,
  BEAT_VERSION,
  BeatField,
  BeatFlag,
  BeatView,
} from './beat-view.js';
import { HeartbeatError } from './errors.js';

/** Shortest key that is taken, in octets. */
export const BEAT_KEY_MIN_OCTETS = 16;
/** How many keys can be valid at once. */
export const BEAT_KEYS_MAX = 4;

const MAX_INTERVAL_US = 0xffff_ffff;

/**
 * The codec of the trailer. With keys, the first signs and all verify, so that keys are changed without a gap: add the
 * new key as second on both nodes, then make it the first on both, then drop the old one. Without keys nothing is
 * signed, and a signed beat is refused: a pair of which one half has a key does not work silently.
 */
export class BeatCodec {
  readonly #keys: readonly KeyObject[];
  readonly #view = new BeatView();

  /**
   * @param keys up to {@link BEAT_KEYS_MAX} secrets of at least {@link BEAT_KEY_MIN_OCTETS} octets
   * @throws {HeartbeatError} `RFSIS_HEARTBEAT_KEY_INVALID`
   */
  constructor(keys: readonly Uint8Array[] = []) {
    if (keys.length > BEAT_KEYS_MAX) {
      throw new HeartbeatError(
        'RFSIS_HEARTBEAT_KEY_INVALID',
        `${keys.length} keys are too many: expected at most ${BEAT_KEYS_MAX}`,
      );
    }
    for (const key of keys) {
      if (key.length < BEAT_KEY_MIN_OCTETS) {
        throw new HeartbeatError(
          'RFSIS_HEARTBEAT_KEY_INVALID',
          `a key of ${key.length} octets is too short: expected at least ${BEAT_KEY_MIN_OCTETS}`,
        );
      }
    }
    this.#keys = keys.map((key) => createSecretKey(key));
  }

  /** Whether there is a key: beats are signed, and verifying one costs a hash. */
  get authenticated(): boolean {
    return this.#keys.length > 0;
  }

  /**
   * Writes the trailer of `beat` behind the ARP body that begins at `bodyOffset` and must be complete already. Values
   * out of range are bounded, not refused.
   * @returns the offset after the trailer
   */
  emit(bytes: Uint8Array, bodyOffset: number, beat: Beat): number {
    const offset = bodyOffset + ARP_OCTETS;
    writeU32(bytes, offset + BeatField.magic, BEAT_MAGIC);
    writeU8(bytes, offset + BeatField.version, BEAT_VERSION);
    writeU8(bytes, offset + BeatField.kind, KIND_CODES[beat.kind]);
    writeU8(bytes, offset + BeatField.role, ROLE_CODES[beat.role]);
    writeU8(
      bytes,
      offset + BeatField.flags,
      (beat.preferred ? BeatFlag.preferred : 0) |
        (beat.ready ? BeatFlag.ready : 0) |
        (beat.protected ? BeatFlag.protected : 0),
    );
    writeU32(bytes, offset + BeatField.epoch, clamp(beat.epoch, 0, 0xffff_ffff));
    beat.session.writeTo(bytes, offset + BeatField.session);
    beat.echo.writeTo(bytes, offset + BeatField.echo);
    writeU64(bytes, offset + BeatField.sequence, clamp(beat.sequence, 1, Number.MAX_SAFE_INTEGER));
    writeU64(bytes, offset + BeatField.progress, clamp(beat.progress, 0, Number.MAX_SAFE_INTEGER));
    writeU32(bytes, offset + BeatField.interval, clamp(beat.intervalMs * 1000, 1, MAX_INTERVAL_US));
    this.#sign(bytes, bodyOffset);
    return offset + BEAT_TRAILER_OCTETS;
  }

  /** The trailer of `beat` for a complete ARP body of 28 octets, in octets of its own. */
  trailer(body: Uint8Array, beat: Beat): Uint8Array {
    const bytes = new Uint8Array(ARP_OCTETS + BEAT_TRAILER_OCTETS);
    bytes.set(body.subarray(0, ARP_OCTETS));
    this.emit(bytes, 0, beat);
    return bytes.subarray(ARP_OCTETS);
  }

  /**
   * Reads and verifies the trailer of one ARP packet.
   * @param bodyOffset first octet of the ARP body
   * @param trailerOffset first octet after the ARP body
   * @param end first octet after the frame
   */
  parse(bytes: Uint8Array, bodyOffset: number, trailerOffset: number, end: number): Beat | BeatDefect {
    const defect =
      this.#view.read(bytes, trailerOffset, end) ?? this.verify(bytes, bodyOffset, trailerOffset);
    return defect ?? this.#view.toBeat();
  }

  /**
   * Verifies the HMAC of a trailer that a {@link BeatView} has read without a defect. Takes the same time whatever the
   * octets are, except that there may be several keys.
   */
  verify(
    bytes: Uint8Array,
    bodyOffset: number,
    trailerOffset: number = bodyOffset + ARP_OCTETS,
  ): 'unsigned' | 'unexpected-mac' | 'unauthentic' | undefined {
    const macOffset = trailerOffset + BeatField.mac;
    const signed = isSigned(bytes, macOffset);
    if (!this.authenticated) return signed ? 'unexpected-mac' : undefined;
    if (!signed) return 'unsigned';
    const received = bytes.subarray(macOffset, macOffset + BEAT_MAC_OCTETS);
    for (const key of this.#keys) {
      if (timingSafeEqual(received, macOf(key, bytes, bodyOffset, macOffset))) return undefined;
    }
    return 'unauthentic';
  }

  #sign(bytes: Uint8Array, bodyOffset: number): void {
    const macOffset = bodyOffset + ARP_OCTETS + BeatField.mac;
    const key = this.#keys[0];
    if (key === undefined) bytes.fill(0, macOffset, macOffset + BEAT_MAC_OCTETS);
    else bytes.set(macOf(key, bytes, bodyOffset, macOffset), macOffset);
  }
}

function macOf(key: KeyObject, bytes: Uint8Array, bodyOffset: number, macOffset: number): Uint8Array {
  return createHmac('sha256', key)
    .update(bytes.subarray(bodyOffset, macOffset))
    .digest()
    .subarray(0, BEAT_MAC_OCTETS);
}

function isSigned(bytes: Uint8Array, macOffset: number): boolean {
  let bits = 0;
  for (let index = macOffset; index < macOffset + BEAT_MAC_OCTETS; index++) bits |= bytes[index] as number;
  return bits !== 0;
}

/** An integer within the limits; what is no number becomes the lower limit. */
function clamp(value: number, low: number, high: number): number {
  return Math.round(Math.min(high, Math.max(low, value || 0)));
}
