// The 48-bit hardware address of an Ethernet interface (IEEE 802-2014, 8.2).
import { LinkError } from './errors.js';
import { readU48, writeU48 } from './octets.js';

const PATTERN = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}$/i;

/** An immutable MAC address. On hot paths use its 48-bit {@link MacAddress.value} and compare numbers. */
export class MacAddress {
  static readonly OCTETS = 6;
  static readonly BROADCAST = new MacAddress(0xffff_ffff_ffff);
  static readonly ZERO = new MacAddress(0);

  /** The address as an unsigned 48-bit integer, first octet most significant. */
  readonly value: number;

  private constructor(value: number) {
    this.value = value;
  }

  /** @throws {LinkError} `RFSIS_LINK_ADDRESS_INVALID` when `value` is no unsigned 48-bit integer. */
  static fromNumber(value: number): MacAddress {
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff_ffff) {
      throw new LinkError('RFSIS_LINK_ADDRESS_INVALID', `${value} is no MAC address: expected 48 bits`);
    }
    return new MacAddress(value);
  }

  /** Reads six octets at `offset`. */
  static fromOctets(bytes: Uint8Array, offset = 0): MacAddress {
    return new MacAddress(readU48(bytes, offset));
  }

  /**
   * Parses `02:00:5e:10:00:01` or `02-00-5E-10-00-01`.
   * @throws {LinkError} `RFSIS_LINK_ADDRESS_INVALID`
   */
  static parse(text: string): MacAddress {
    if (!PATTERN.test(text)) {
      throw new LinkError(
        'RFSIS_LINK_ADDRESS_INVALID',
        `"${text}" is no MAC address: expected six hexadecimal octets like 02:00:5e:10:00:01`,
      );
    }
    return new MacAddress(Number.parseInt(text.replace(/[:-]/g, ''), 16));
  }

  /** The group bit: multicast or broadcast. */
  get isGroup(): boolean {
    return isGroupMac(this.value);
  }

  /** Locally administered, not assigned by a manufacturer. */
  get isLocal(): boolean {
    return (Math.floor(this.value / 0x100_0000_0000) & 2) !== 0;
  }

  equals(other: MacAddress): boolean {
    return this.value === other.value;
  }

  /** Writes six octets at `offset`. */
  writeTo(bytes: Uint8Array, offset: number): void {
    writeU48(bytes, offset, this.value);
  }

  toString(): string {
    return this.value
      .toString(16)
      .padStart(12, '0')
      .replace(/..(?!$)/g, '$&:');
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Whether a 48-bit MAC value has the group bit (multicast or broadcast). */
export function isGroupMac(value: number): boolean {
  return (Math.floor(value / 0x100_0000_0000) & 1) !== 0;
}
