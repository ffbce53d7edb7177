// The identification field of what we send: different for datagrams that could be confused with each other
// (RFC 6864 4.3), and not to be guessed by others (RFC 7739).
import { randomBelow, type Random } from '@rfsis/link';
import { KeyedHash } from '../keyed-hash.js';

const COUNTERS = 2048;
/** How far back a quoted identification still counts as ours: a tenth of a second at 10,000 datagrams a second. */
const RECENT = 1024;

/**
 * RFC 7739 5.3: a table of counters; which one a (source, destination, protocol) uses, and from where it counts, is
 * decided by a keyed hash. All state is two numbers a counter, whatever the number of destinations.
 */
export class Identification {
  readonly #hash: KeyedHash;
  readonly #counters = new Uint16Array(COUNTERS);
  /** How many identifications each counter has given out, at most {@link RECENT}. */
  readonly #issued = new Uint16Array(COUNTERS);
  #lastSource = -1;
  #lastDestination = -1;
  #lastProtocol = -1;
  #lastHash = 0;

  constructor(random: Random) {
    this.#hash = KeyedHash.withRandomKey(random);
    for (let index = 0; index < COUNTERS; index++) this.#counters[index] = randomBelow(random, 0x1_0000);
  }

  /** The identification of the next datagram. */
  next(source: number, destination: number, protocol: number): number {
    const hash = this.#hashOf(source, destination, protocol);
    const index = hash % COUNTERS;
    const count = this.#counters[index] as number;
    this.#counters[index] = count + 1;
    const issued = this.#issued[index] as number;
    if (issued < RECENT) this.#issued[index] = issued + 1;
    return (count + (hash >>> 16)) & 0xffff;
  }

  /**
   * Whether we have sent a datagram of this identification lately, to believe an ICMP error that quotes it. Who cannot
   * see our traffic has to guess: right at most once in 64 tries, and never when nothing was sent there.
   */
  isRecent(source: number, destination: number, protocol: number, identification: number): boolean {
    const hash = this.#hashOf(source, destination, protocol);
    const index = hash % COUNTERS;
    const next = ((this.#counters[index] as number) + (hash >>> 16)) & 0xffff;
    const distance = (next - identification) & 0xffff;
    return distance >= 1 && distance <= (this.#issued[index] as number);
  }

  #hashOf(source: number, destination: number, protocol: number): number {
    if (
      source !== this.#lastSource ||
      destination !== this.#lastDestination ||
      protocol !== this.#lastProtocol
    ) {
      this.#lastSource = source;
      this.#lastDestination = destination;
      this.#lastProtocol = protocol;
      this.#lastHash = this.#hash.hash3(source, destination, protocol);
    }
    return this.#lastHash;
  }
}
