// Path MTU estimates (RFC 1191): learned from "fragmentation needed", never below a minimum, forgotten after a while.
import type { Clock } from '@rfsis/link';

/** RFC 1191 7.1: MTUs that occur in practice, for routers that do not tell theirs. */
const PLATEAUS = [65_535, 32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68];

/** Times and limits of {@link PathMtuTable}. */
export interface PathMtuLimits {
  /**
   * No estimate is smaller; default 552. Towards a destination that asks for less, datagrams are sent in pieces of this
   * size without "don't fragment", so that routers cut them further. A forged error cannot slow a path below it.
   * RFC 1191 3 forbids less than 68.
   */
  readonly pathMtuMinimum: number;
  /** How long an estimate holds, in milliseconds; default 600,000 (RFC 1191 6.3: ten minutes). */
  readonly pathMtuMs: number;
  /** Destinations remembered; at the limit the one learned first is forgotten. Default 1,024. */
  readonly pathMtuEntries: number;
}

interface Estimate {
  mtu: number;
  /** The path is narrower than the minimum: routers must be allowed to fragment. */
  locked: boolean;
  expiresMs: number;
}

export class PathMtuTable {
  readonly #clock: Clock;
  readonly #linkMtu: number;
  readonly #limits: PathMtuLimits;
  readonly #estimates = new Map<number, Estimate>();

  constructor(clock: Clock, linkMtu: number, limits: PathMtuLimits) {
    this.#clock = clock;
    this.#linkMtu = linkMtu;
    this.#limits = limits;
  }

  get size(): number {
    return this.#estimates.size;
  }

  /** The largest datagram to send to `destination`, header included. */
  get(destination: number): number {
    return this.#find(destination)?.mtu ?? this.#linkMtu;
  }

  /** Whether "don't fragment" may be set towards `destination`. */
  mayForbidFragmenting(destination: number): boolean {
    return this.#find(destination)?.locked !== true;
  }

  /**
   * Takes in a "fragmentation needed".
   * @param nextHopMtu what the router says; 0 from one older than RFC 1191
   * @param sentOctets the total length of the datagram that was too big
   * @returns whether the estimate became smaller
   */
  reduce(destination: number, nextHopMtu: number, sentOctets: number): boolean {
    const current = this.get(destination);
    let mtu = nextHopMtu;
    // RFC 1191 5: without a next-hop MTU, the next plateau below the size of what was sent.
    if (mtu === 0) mtu = PLATEAUS.find((plateau) => plateau < Math.min(sentOctets, current)) ?? 68;
    // RFC 1191 3: a host MUST NOT increase its estimate in response to a Datagram Too Big message. And a router that
    // says that what was sent would have fitted tells nothing.
    if (mtu >= current || mtu >= sentOctets) return false;
    const minimum = Math.min(this.#limits.pathMtuMinimum, this.#linkMtu);
    if (!this.#estimates.has(destination) && this.#estimates.size >= this.#limits.pathMtuEntries) {
      for (const oldest of this.#estimates.keys()) {
        this.#estimates.delete(oldest);
        break;
      }
    }
    this.#estimates.set(destination, {
      mtu: Math.max(mtu, minimum),
      locked: mtu < minimum,
      expiresMs: this.#clock.now() + this.#limits.pathMtuMs,
    });
    return true;
  }

  clear(): void {
    this.#estimates.clear();
  }

  #find(destination: number): Estimate | undefined {
    if (this.#estimates.size === 0) return undefined;
    const estimate = this.#estimates.get(destination);
    if (estimate === undefined) return undefined;
    // RFC 1191 6.3: PMTU information ages, so that a path that has become wider is used.
    if (this.#clock.now() >= estimate.expiresMs) {
      this.#estimates.delete(destination);
      return undefined;
    }
    return estimate;
  }
}
