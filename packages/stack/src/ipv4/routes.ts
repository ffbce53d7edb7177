// Where a datagram goes next (RFC 1122 3.3.1): straight to its destination when that is on a network of ours, else to
// a gateway. Longest prefix first.
import type { Ipv4Address, Ipv4Cidr } from '@rfsis/link';
import { StackError } from '../errors.js';

/** One way out. Plain data. */
export interface Route {
  /** 32-bit network address. */
  readonly network: number;
  readonly prefixLength: number;
  /** 32-bit address of the gateway; 0 when the network is on the link. */
  readonly gateway: number;
  /** The address of ours that datagrams on this route are sent from by default. */
  readonly source: number;
}

interface ConfiguredRoute {
  readonly prefix: Ipv4Cidr;
  readonly gateway: Ipv4Address;
}

/** The netmask of a prefix length, as signed 32-bit integer. */
function maskOf(prefixLength: number): number {
  return prefixLength === 0 ? 0 : -1 << (32 - prefixLength);
}

/**
 * A table of few routes, sorted by falling prefix length and searched from the front. Among equal prefixes the network
 * on the link goes first, then the older one. Bounded; adding beyond the limit is an error.
 */
export class RouteTable {
  readonly #limit: number;
  #addresses: readonly Ipv4Cidr[] = [];
  /** Routes through gateways, as configured, the oldest first. */
  #configured: readonly ConfiguredRoute[] = [];
  #routes: readonly Route[] = [];
  #networks = new Int32Array(0);
  #masks = new Int32Array(0);

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The routes in use, in the order in which they are tried. */
  get list(): readonly Route[] {
    return this.#routes;
  }

  /** The addresses of this host have changed; each puts its network on the link. */
  setAddresses(addresses: readonly Ipv4Cidr[]): void {
    this.#addresses = addresses;
    this.#rebuild();
  }

  /**
   * Sends what goes to `prefix` through `gateway`; replaces a route to the same prefix. It is used while the gateway
   * is on a network of ours.
   * @throws {StackError} `RFSIS_STACK_LIMIT`
   */
  add(prefix: Ipv4Cidr, gateway: Ipv4Address): void {
    const others = this.#without(prefix);
    if (others.length >= this.#limit) {
      throw new StackError(
        'RFSIS_STACK_LIMIT',
        `no room for a route to ${prefix.toString()}: the stack holds at most ${this.#limit} (option routeLimit)`,
      );
    }
    this.#configured = [...others, { prefix, gateway }];
    this.#rebuild();
  }

  /** @returns whether there was a configured route to `prefix` */
  remove(prefix: Ipv4Cidr): boolean {
    const others = this.#without(prefix);
    const found = others.length < this.#configured.length;
    this.#configured = others;
    this.#rebuild();
    return found;
  }

  /** The route to `destination`; undefined when it cannot be reached. No allocation. */
  lookup(destination: number): Route | undefined {
    const signed = destination | 0;
    const count = this.#routes.length;
    for (let index = 0; index < count; index++) {
      if ((signed & (this.#masks[index] as number)) === this.#networks[index]) return this.#routes[index];
    }
    return undefined;
  }

  #without(prefix: Ipv4Cidr): readonly ConfiguredRoute[] {
    return this.#configured.filter(
      (each) =>
        each.prefix.prefixLength !== prefix.prefixLength || !each.prefix.network.equals(prefix.network),
    );
  }

  #rebuild(): void {
    const routes: Route[] = this.#addresses.map((cidr) => ({
      network: cidr.network.value,
      prefixLength: cidr.prefixLength,
      gateway: 0,
      source: cidr.address.value,
    }));
    // sort is stable: the first address of a network stays before the others.
    routes.sort(byPrefix);
    const onLink = [...routes];
    for (const { prefix, gateway } of this.#configured) {
      const way = onLink.find(
        (route) => (gateway.value & maskOf(route.prefixLength)) >>> 0 === route.network,
      );
      if (way === undefined) continue;
      routes.push({
        network: prefix.network.value,
        prefixLength: prefix.prefixLength,
        gateway: gateway.value,
        source: way.source,
      });
    }
    routes.sort(byPrefix);
    this.#routes = routes;
    this.#networks = Int32Array.from(routes, (route) => route.network | 0);
    this.#masks = Int32Array.from(routes, (route) => maskOf(route.prefixLength));
  }
}

function byPrefix(a: Route, b: Route): number {
  return b.prefixLength - a.prefixLength;
}
