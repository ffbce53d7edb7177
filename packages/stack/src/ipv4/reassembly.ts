// One datagram that is being put together from its fragments: which octets are there, and the octets themselves.
// Limits across datagrams, time and lookup are the business of reassembler.ts.
import type { BufferPool } from './buffer-pool.js';
import { IPV4_MAX_HEADER_OCTETS, IPV4_MAX_OCTETS, rewriteAsWhole, type Ipv4View } from './packet.js';

/** Runs of consecutive octets a datagram may be in while it is incomplete. */
const MAX_RUNS = 256;

/** Why a fragment was not kept. All but the first discard the whole datagram. */
export type FragmentDefect =
  /** All its octets are there already, and the same. */
  | 'fragment-duplicate'
  /** It overlaps others, with different octets or different borders. */
  | 'fragment-overlap'
  /** It reaches beyond the end of the datagram, or moves the end. */
  | 'fragment-beyond-end'
  /** The datagram would be longer than 65,535 octets. */
  | 'fragment-too-long'
  /** The datagram is in too many pieces. */
  | 'fragment-runs';

/**
 * The payload lies at {@link IPV4_MAX_HEADER_OCTETS} of the buffer, and the header of the first fragment right before
 * it, so that the finished datagram is one piece of memory.
 */
export class Reassembly {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly identification: number;
  readonly deadlineMs: number;
  /** The next one under the same key. */
  next: Reassembly | undefined;
  #buffer: Uint8Array;
  /** Octets of the payload when the last fragment has been seen, else -1. */
  #payloadLength = -1;
  #headerLength = 0;
  /** Beginnings and ends of the runs that are there, ascending, no two touching. */
  readonly #runs: number[] = [];
  #discarded = false;

  constructor(packet: Ipv4View, deadlineMs: number, buffer: Uint8Array) {
    this.source = packet.source;
    this.destination = packet.destination;
    this.protocol = packet.protocol;
    this.identification = packet.identification;
    this.deadlineMs = deadlineMs;
    this.#buffer = buffer;
  }

  /** Octets of memory it holds. */
  get octets(): number {
    return this.#buffer.length;
  }

  /** A datagram that went wrong: it stays known until its time is over, so that its other fragments are refused. */
  get discarded(): boolean {
    return this.#discarded;
  }

  /** Whether the first fragment is there. */
  get hasHeader(): boolean {
    return this.#headerLength > 0;
  }

  get complete(): boolean {
    return this.hasHeader && this.#runs.length === 2 && this.#runs[1] === this.#payloadLength;
  }

  matches(packet: Ipv4View): boolean {
    return (
      this.source === packet.source &&
      this.destination === packet.destination &&
      this.identification === packet.identification &&
      this.protocol === packet.protocol
    );
  }

  /** The memory. {@link Reassembly.datagramOffset} to {@link Reassembly.datagramEnd} is the datagram. */
  get buffer(): Uint8Array {
    return this.#buffer;
  }

  get datagramOffset(): number {
    return IPV4_MAX_HEADER_OCTETS - this.#headerLength;
  }

  /** Of the part that is there without a gap from the beginning. */
  get datagramEnd(): number {
    return IPV4_MAX_HEADER_OCTETS + (this.#runs[0] === 0 ? (this.#runs[1] as number) : 0);
  }

  /**
   * Makes the header that of a whole datagram, of what is there without a gap from the beginning. Needs the first
   * fragment.
   */
  finish(): void {
    const offset = this.datagramOffset;
    rewriteAsWhole(this.#buffer, offset, this.#headerLength, this.datagramEnd - offset);
  }

  /** @returns undefined when the fragment was taken in */
  add(packet: Ipv4View, bytes: Uint8Array, pool: BufferPool): FragmentDefect | undefined {
    const begin = packet.fragmentOffset;
    const end = begin + packet.totalLength - packet.headerLength;
    // The datagram's total length is a 16-bit field: no header is shorter than 20 octets.
    const headerLength = begin === 0 ? packet.headerLength : Math.max(this.#headerLength, 20);
    const last = this.#runs.length === 0 ? 0 : (this.#runs[this.#runs.length - 1] as number);
    if (Math.max(end, last) + headerLength > IPV4_MAX_OCTETS) return 'fragment-too-long';
    if (packet.moreFragments) {
      if (this.#payloadLength >= 0 && end >= this.#payloadLength) return 'fragment-beyond-end';
    } else if ((this.#payloadLength >= 0 && end !== this.#payloadLength) || end < last) {
      return 'fragment-beyond-end';
    }
    const defect = this.#insert(begin, end, packet, bytes);
    if (defect !== undefined) return defect;
    if (!packet.moreFragments) this.#payloadLength = end;
    if (begin === 0) this.#headerLength = packet.headerLength;
    this.#copy(begin, end, packet, bytes, pool);
    return undefined;
  }

  /** Gives the memory back; what is left is a mark. */
  discard(pool: BufferPool): void {
    this.#discarded = true;
    this.#runs.length = 0;
    pool.put(this.#buffer);
    this.#buffer = NO_OCTETS;
  }

  #insert(begin: number, end: number, packet: Ipv4View, bytes: Uint8Array): FragmentDefect | undefined {
    const runs = this.#runs;
    // Most fragments come in order: look from the back. `at` is the first run that does not lie before `begin`.
    let at = runs.length;
    while (at > 0 && (runs[at - 1] as number) > begin) at -= 2;
    // RFC 5722 for IPv6, and just as right here: overlapping fragments are an attack; only an exact copy is harmless.
    if (at < runs.length && (runs[at] as number) < end) {
      const inside = (runs[at] as number) <= begin && end <= (runs[at + 1] as number);
      return inside && this.#holdsSame(begin, end, packet, bytes) ? 'fragment-duplicate' : 'fragment-overlap';
    }
    const touchesBefore = at > 0 && runs[at - 1] === begin;
    const touchesAfter = at < runs.length && runs[at] === end;
    if (touchesBefore && touchesAfter) runs.splice(at - 1, 2);
    else if (touchesBefore) runs[at - 1] = end;
    else if (touchesAfter) runs[at] = begin;
    else if (runs.length >= 2 * MAX_RUNS) return 'fragment-runs';
    else runs.splice(at, 0, begin, end);
    return undefined;
  }

  #holdsSame(begin: number, end: number, packet: Ipv4View, bytes: Uint8Array): boolean {
    const shift = packet.payloadOffset - begin;
    for (let index = begin; index < end; index++) {
      if (this.#buffer[IPV4_MAX_HEADER_OCTETS + index] !== bytes[shift + index]) return false;
    }
    return true;
  }

  #copy(begin: number, end: number, packet: Ipv4View, bytes: Uint8Array, pool: BufferPool): void {
    const needed = IPV4_MAX_HEADER_OCTETS + Math.max(end, this.#payloadLength);
    if (needed > this.#buffer.length) {
      const larger = pool.take(needed);
      larger.set(this.#buffer);
      pool.put(this.#buffer);
      this.#buffer = larger;
    }
    const { payloadOffset } = packet;
    const from = begin === 0 ? packet.offset : payloadOffset;
    const to = IPV4_MAX_HEADER_OCTETS + begin - (payloadOffset - from);
    this.#buffer.set(bytes.subarray(from, payloadOffset + end - begin), to);
  }
}

const NO_OCTETS = new Uint8Array(0);
