// IPv4 addresses and prefixes (RFC 791, 4632). Hot paths use the unsigned 32-bit value.
import { LinkError } from './errors.js';
import { readU32, writeU32 } from './octets.js';

const OCTET = /^(?:0|[1-9]\d{0,2})$/;

function parseAddress(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    // Leading zeros are refused: some parsers read them as octal.
    if (!OCTET.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

/** An immutable IPv4 address. */
export class Ipv4Address {
  static readonly OCTETS = 4;
  /** 0.0.0.0: "this host", or any address when binding. */
  static readonly ANY = new Ipv4Address(0);
  /** 255.255.255.255: every host on this segment. */
  static readonly BROADCAST = new Ipv4Address(0xffff_ffff);

  /** The address as an unsigned 32-bit integer, first octet most significant. */
  readonly value: number;

  private constructor(value: number) {
    this.value = value;
  }

  /** Takes the low 32 bits of `value`. */
  static fromNumber(value: number): Ipv4Address {
    return new Ipv4Address(value >>> 0);
  }

  /** Reads four octets at `offset`. */
  static fromOctets(bytes: Uint8Array, offset = 0): Ipv4Address {
    return new Ipv4Address(readU32(bytes, offset));
  }

  /**
   * Parses dotted decimal notation.
   * @throws {LinkError} `RFSIS_LINK_ADDRESS_INVALID`
   */
  static parse(text: string): Ipv4Address {
    const value = parseAddress(text);
    if (value === undefined) {
      throw new LinkError(
        'RFSIS_LINK_ADDRESS_INVALID',
        `"${text}" is no IPv4 address: expected four decimal octets like 10.77.0.10`,
      );
    }
    return new Ipv4Address(value);
  }

  /** 224.0.0.0/4 */
  get isMulticast(): boolean {
    return isMulticastIpv4(this.value);
  }

  /** 127.0.0.0/8 */
  get isLoopback(): boolean {
    return this.value >>> 24 === 127;
  }

  equals(other: Ipv4Address): boolean {
    return this.value === other.value;
  }

  /** Writes four octets at `offset`. */
  writeTo(bytes: Uint8Array, offset: number): void {
    writeU32(bytes, offset, this.value);
  }

  toString(): string {
    return formatIpv4(this.value);
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Whether a 32-bit address lies in 224.0.0.0/4. */
export function isMulticastIpv4(value: number): boolean {
  return value >>> 28 === 0xe;
}

/** Dotted decimal notation of a 32-bit address. */
export function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** An address together with the prefix of the network it lives in, such as `10.77.0.10/24`. */
export class Ipv4Cidr {
  readonly address: Ipv4Address;
  /** 0 to 32 */
  readonly prefixLength: number;

  /** @throws {LinkError} `RFSIS_LINK_ADDRESS_INVALID` when the prefix length is no integer of 0 to 32. */
  constructor(address: Ipv4Address, prefixLength: number) {
    if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > 32) {
      throw new LinkError(
        'RFSIS_LINK_ADDRESS_INVALID',
        `${prefixLength} is no prefix length: expected 0 to 32`,
      );
    }
    this.address = address;
    this.prefixLength = prefixLength;
  }

  /**
   * Parses `10.77.0.10/24`.
   * @throws {LinkError} `RFSIS_LINK_ADDRESS_INVALID`
   */
  static parse(text: string): Ipv4Cidr {
    const slash = text.indexOf('/');
    const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
    const length = text.slice(slash + 1);
    if (slash < 0 || address === undefined || !OCTET.test(length) || Number(length) > 32) {
      throw new LinkError(
        'RFSIS_LINK_ADDRESS_INVALID',
        `"${text}" is no address with prefix: expected one like 10.77.0.10/24`,
      );
    }
    return new Ipv4Cidr(Ipv4Address.fromNumber(address), Number(length));
  }

  /** The netmask as an unsigned 32-bit integer. */
  get mask(): number {
    return this.prefixLength === 0 ? 0 : (0xffff_ffff << (32 - this.prefixLength)) >>> 0;
  }

  /** The first address of the network. */
  get network(): Ipv4Address {
    return Ipv4Address.fromNumber(this.address.value & this.mask);
  }

  /** The directed broadcast address (RFC 922); for /31 and /32 there is none, and the address itself is returned. */
  get broadcast(): Ipv4Address {
    return this.prefixLength >= 31
      ? this.address
      : Ipv4Address.fromNumber((this.address.value & this.mask) | ~this.mask);
  }

  /** Whether `address` lies in the same network. */
  contains(address: Ipv4Address): boolean {
    return (address.value & this.mask) >>> 0 === this.network.value;
  }

  toString(): string {
    return `${this.address.toString()}/${this.prefixLength}`;
  }

  toJSON(): string {
    return this.toString();
  }
}
