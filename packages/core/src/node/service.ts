// The service address on this node: owned and announced while the node serves, given up without a packet otherwise.
import { ANNOUNCE_TAKEOVER } from '@rfsis/arp';
import type { Ipv4Cidr } from '@rfsis/link';
import type { Stack } from '@rfsis/stack';
import type { Lease } from '../role/lease.js';

export class Service {
  readonly #stack: Stack;
  readonly #address: Ipv4Cidr;
  readonly #lease: Lease;

  constructor(stack: Stack, address: Ipv4Cidr, lease: Lease) {
    this.#stack = stack;
    this.#address = address;
    this.#lease = lease;
  }

  /** Serves from this moment on: the state first, then the address, then the announcement. */
  take(): void {
    this.#lease.grant();
    if (!this.#stack.hasAddress(this.#address.address.value)) this.#stack.addAddress(this.#address);
    this.announce();
  }

  /** Tells the segment whose address it is, and goes on telling it. */
  announce(): void {
    this.#stack.arp.announce(this.#address.address, ANNOUNCE_TAKEOVER);
  }

  /** Stops at once; nothing from the address leaves after this call. */
  release(): void {
    this.#stack.removeAddress(this.#address.address);
  }
}
