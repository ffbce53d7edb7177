// The 64-bit name of one incarnation of a node: drawn at random when it starts, never used again.
import { readU32, writeU32, type Random } from '@rfsis/link';
import { HeartbeatError } from './errors.js';

const PATTERN = /^[0-9a-f]{16}$/;

/** An immutable session identifier: two 32-bit halves, so that comparing needs neither BigInt nor text. */
export class SessionId {
  static readonly OCTETS = 8;
  /** All zero: "no session", for an echo before the peer was heard. Never the name of a session. */
  static readonly NONE = new SessionId(0, 0);

  /** The first four octets as an unsigned integer. */
  readonly high: number;
  /** The last four octets as an unsigned integer. */
  readonly low: number;

  private constructor(high: number, low: number) {
    this.high = high;
    this.low = low;
  }

  /** Draws a new session, never {@link SessionId.NONE}. Give it a secure generator outside of simulations. */
  static random(random: Random): SessionId {
    const high = random.uint32();
    const low = random.uint32();
    return new SessionId(high, high === 0 && low === 0 ? 1 : low);
  }

  /** Takes the low 32 bits of each half. */
  static fromHalves(high: number, low: number): SessionId {
    return new SessionId(high >>> 0, low >>> 0);
  }

  /** Reads eight octets at `offset`. */
  static fromOctets(bytes: Uint8Array, offset = 0): SessionId {
    return new SessionId(readU32(bytes, offset), readU32(bytes, offset + 4));
  }

  /**
   * Parses what {@link SessionId.toString} gives.
   * @throws {HeartbeatError} `RFSIS_HEARTBEAT_SESSION_INVALID`
   */
  static parse(text: string): SessionId {
    if (!PATTERN.test(text)) {
      throw new HeartbeatError(
        'RFSIS_HEARTBEAT_SESSION_INVALID',
        `"${text}" is no session identifier: expected 16 lower-case hexadecimal digits`,
      );
    }
    return new SessionId(Number.parseInt(text.slice(0, 8), 16), Number.parseInt(text.slice(8), 16));
  }

  /** Whether this is {@link SessionId.NONE}. */
  get isNone(): boolean {
    return this.high === 0 && this.low === 0;
  }

  equals(other: SessionId): boolean {
    return this.low === other.low && this.high === other.high;
  }

  /** Writes eight octets at `offset`. */
  writeTo(bytes: Uint8Array, offset: number): void {
    writeU32(bytes, offset, this.high);
    writeU32(bytes, offset + 4, this.low);
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    return this.high.toString(16).padStart(8, '0') + this.low.toString(16).padStart(8, '0');
  }

  toJSON(): string {
    return this.toString();
  }
}
