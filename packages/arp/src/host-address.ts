// Which IPv4 addresses can belong to one host on the segment, and so take part in ARP.
import { isMulticastIpv4, type Ipv4Address, type MacAddress } from '@rfsis/link';
import { ArpError } from './errors.js';

const LIMITED_BROADCAST = 0xffff_ffff;

/**
 * Not 0.0.0.0/8, loopback, multicast or the limited broadcast (RFC 1122 3.2.1.3). Directed broadcasts pass: ARP knows
 * no prefix.
 */
export function isHostAddress(value: number): boolean {
  const network = value >>> 24;
  return network !== 0 && network !== 127 && !isMulticastIpv4(value) && value !== LIMITED_BROADCAST;
}

/** @throws {ArpError} `RFSIS_ARP_ADDRESS_INVALID` unless {@link isHostAddress} */
export function requireHostAddress(address: Ipv4Address): void {
  if (isHostAddress(address.value)) return;
  throw new ArpError(
    'RFSIS_ARP_ADDRESS_INVALID',
    `${address.toString()} cannot be the address of a host: expected one like 10.77.0.10`,
  );
}

/** @throws {ArpError} `RFSIS_ARP_ADDRESS_INVALID` for zero and group addresses */
export function requireHostMac(mac: MacAddress): void {
  if (mac.value !== 0 && !mac.isGroup) return;
  throw new ArpError(
    'RFSIS_ARP_ADDRESS_INVALID',
    `${mac.toString()} cannot be the MAC address of a host: expected one like 02:00:5e:10:00:01`,
  );
}

/** Our own addresses, in the order in which they were added. */
export class OwnAddresses {
  readonly #values = new Set<number>();

  has(value: number): boolean {
    return this.#values.has(value);
  }

  add(value: number): void {
    this.#values.add(value);
  }

  delete(value: number): boolean {
    return this.#values.delete(value);
  }

  clear(): void {
    this.#values.clear();
  }

  /** The address to ask from: `preferred` when it is ours, else the first one, else 0.0.0.0 (RFC 5227 probes do so). */
  sourceFor(preferred: number): number {
    if (this.#values.has(preferred)) return preferred;
    for (const first of this.#values) return first;
    return 0;
  }
}
