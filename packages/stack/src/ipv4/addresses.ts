// The addresses of this host, each with its prefix, and what they make of an address: ours, a broadcast, a loopback.
import { isMulticastIpv4, type Ipv4Address, type Ipv4Cidr } from '@rfsis/link';
import { StackError } from '../errors.js';

/** 127.0.0.1 */
export const LOOPBACK_ADDRESS = 0x7f00_0001;
/** 255.255.255.255 */
export const LIMITED_BROADCAST = 0xffff_ffff;
/** 224.0.0.1: every host of the segment is a member, without IGMP (RFC 1112 4). */
export const ALL_HOSTS = 0xe000_0001;

/** 127.0.0.0/8 */
export function isLoopbackIpv4(value: number): boolean {
  return value >>> 24 === 127;
}

/** What a destination address means to this host. */
export type Scope = 'unicast' | 'broadcast' | 'multicast' | 'foreign';

/**
 * A short list, searched from the front: a host has few addresses. Bounded; adding beyond the limit is an error. The
 * first address added for a prefix is the one datagrams into it are sent from by default.
 */
export class AddressTable {
  readonly #limit: number;
  #list: readonly Ipv4Cidr[] = [];
  readonly #values: Float64Array;
  /** Directed broadcast address of each; 0 where there is none (/31, /32). */
  readonly #broadcasts: Float64Array;
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
    this.#values = new Float64Array(limit);
    this.#broadcasts = new Float64Array(limit);
  }

  /** In the order in which they were added. */
  get list(): readonly Ipv4Cidr[] {
    return this.#list;
  }

  /**
   * @returns false when the address is there already, with the same prefix
   * @throws {StackError} `RFSIS_STACK_ADDRESS_INVALID`, `RFSIS_STACK_ADDRESS_PREFIX`, `RFSIS_STACK_LIMIT`
   */
  add(cidr: Ipv4Cidr): boolean {
    const problem = whyNoHostAddress(cidr);
    if (problem !== undefined) {
      throw new StackError(
        'RFSIS_STACK_ADDRESS_INVALID',
        `${cidr.toString()} cannot be an address of a host: ${problem}`,
      );
    }
    const present = this.#list.find((each) => each.address.equals(cidr.address));
    if (present !== undefined) {
      if (present.prefixLength === cidr.prefixLength) return false;
      throw new StackError(
        'RFSIS_STACK_ADDRESS_PREFIX',
        `${cidr.address.toString()} is here as ${present.toString()}: remove it before adding it as ${cidr.toString()}`,
      );
    }
    if (this.#list.length >= this.#limit) {
      throw new StackError(
        'RFSIS_STACK_LIMIT',
        `no room for ${cidr.toString()}: the stack holds at most ${this.#limit} addresses (option addressLimit)`,
      );
    }
    this.#set([...this.#list, cidr]);
    return true;
  }

  /** @returns whether it was there */
  remove(address: Ipv4Address): boolean {
    const rest = this.#list.filter((each) => !each.address.equals(address));
    const found = rest.length < this.#list.length;
    if (found) this.#set(rest);
    return found;
  }

  /** Whether `value` is an address of this host on the link; loopback addresses are not. */
  owns(value: number): boolean {
    for (let index = 0; index < this.#count; index++) if (this.#values[index] === value) return true;
    return false;
  }

  /** Whether datagrams to `value` stay within this host. */
  isLocal(value: number): boolean {
    return isLoopbackIpv4(value) || this.owns(value);
  }

  /** The limited broadcast, or the directed broadcast of a network this host is in (RFC 1122 3.2.1.3 (c), (d)). */
  isBroadcast(value: number): boolean {
    if (value === LIMITED_BROADCAST) return true;
    if (value === 0) return false;
    for (let index = 0; index < this.#count; index++) if (this.#broadcasts[index] === value) return true;
    return false;
  }

  scope(destination: number): Scope {
    if (this.owns(destination)) return 'unicast';
    if (this.isBroadcast(destination)) return 'broadcast';
    return destination === ALL_HOSTS ? 'multicast' : 'foreign';
  }

  /**
   * Whether a datagram that came over the link can have been sent from `source`. RFC 1122 3.2.1.3: broadcast,
   * multicast, loopback and "this host" addresses are no source addresses.
   */
  isValidSource(source: number): boolean {
    const first = source >>> 24;
    return first !== 0 && first !== 127 && !isMulticastIpv4(source) && !this.isBroadcast(source);
  }

  #set(list: readonly Ipv4Cidr[]): void {
    this.#list = list;
    this.#count = list.length;
    list.forEach((cidr, index) => {
      this.#values[index] = cidr.address.value;
      this.#broadcasts[index] = cidr.prefixLength >= 31 ? 0 : cidr.broadcast.value;
    });
  }
}

function whyNoHostAddress(cidr: Ipv4Cidr): string | undefined {
  const { address } = cidr;
  if (address.isMulticast) return 'it is a multicast address';
  if (address.isLoopback) return 'loopback addresses are there without being added';
  if (address.value === LIMITED_BROADCAST) return 'it is the broadcast address';
  if (address.value >>> 24 === 0) return '0.0.0.0/8 means "this network"';
  // RFC 3021: in a /31 both addresses are hosts.
  if (cidr.prefixLength >= 31) return undefined;
  if (address.equals(cidr.broadcast)) return 'it is the broadcast address of that network';
  if (address.equals(cidr.network)) return 'it is the address of the network itself';
  return undefined;
}
