// Big-endian access to octets. Callers check lengths once; a read past the end gives zero, never an exception.

/** Reads one octet. */
export function readU8(bytes: Uint8Array, offset: number): number {
  // Out of range, the index yields undefined, which the bitwise operator turns into 0.
  return (bytes[offset] as number) | 0;
}

/** Reads a 16-bit big-endian unsigned integer. */
export function readU16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number);
}

/** Reads a 32-bit big-endian unsigned integer. */
export function readU32(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset] as number) << 24) |
      ((bytes[offset + 1] as number) << 16) |
      ((bytes[offset + 2] as number) << 8) |
      (bytes[offset + 3] as number)) >>>
    0
  );
}

/** Reads a 48-bit big-endian unsigned integer, for example a MAC address. */
export function readU48(bytes: Uint8Array, offset: number): number {
  return readU16(bytes, offset) * 0x1_0000_0000 + readU32(bytes, offset + 2);
}

/** Reads a 64-bit big-endian unsigned integer; exact up to `Number.MAX_SAFE_INTEGER`. */
export function readU64(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset) * 0x1_0000_0000 + readU32(bytes, offset + 4);
}

/** Writes the low 8 bits of `value`. */
export function writeU8(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
}

/** Writes the low 16 bits of `value`, big-endian. */
export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

/** Writes the low 32 bits of `value`, big-endian. */
export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

/** Writes the low 48 bits of `value`, big-endian. */
export function writeU48(bytes: Uint8Array, offset: number, value: number): void {
  writeU16(bytes, offset, Math.floor(value / 0x1_0000_0000));
  writeU32(bytes, offset + 2, value);
}

/** Writes a non-negative safe integer as 64 bits, big-endian. */
export function writeU64(bytes: Uint8Array, offset: number, value: number): void {
  writeU32(bytes, offset, Math.floor(value / 0x1_0000_0000));
  writeU32(bytes, offset + 4, value);
}
