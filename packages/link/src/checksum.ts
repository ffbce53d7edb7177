// The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
//
// A sum is built in steps: add ranges with addToSum, then fold once with finishChecksum. Every range but the last must
// have an even number of octets.

/** From this length on a view of 16-bit words is worth its allocation: it sums twice as fast (measured: 1.7 x at 512). */
const WORD_VIEW_OCTETS = 512;
const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Adds `length` octets at `offset` to a running sum of 16-bit words.
 * @returns the new sum, unfolded; exact for at least 2^36 octets
 */
export function addToSum(sum: number, bytes: Uint8Array, offset: number, length: number): number {
  if (length >= WORD_VIEW_OCTETS && ((bytes.byteOffset + offset) & 1) === 0) {
    return addWords(sum, bytes, offset, length);
  }
  // High and low octets are summed apart: both sums stay small integers, and no word is put together in the loop.
  let high = 0;
  let low = 0;
  let index = offset;
  const end = offset + length;
  for (const stop = end - 7; index < stop; index += 8) {
    high +=
      (bytes[index] as number) +
      (bytes[index + 2] as number) +
      (bytes[index + 4] as number) +
      (bytes[index + 6] as number);
    low +=
      (bytes[index + 1] as number) +
      (bytes[index + 3] as number) +
      (bytes[index + 5] as number) +
      (bytes[index + 7] as number);
  }
  for (; index + 1 < end; index += 2) {
    high += bytes[index] as number;
    low += bytes[index + 1] as number;
  }
  // RFC 1071 section 4.1: a last odd octet is the high half of a word.
  if (index < end) high += bytes[index] as number;
  return sum + high * 256 + low;
}

/** {@link addToSum} in the byte order of the machine, put right at the end (RFC 1071 section 2 B). */
function addWords(sum: number, bytes: Uint8Array, offset: number, length: number): number {
  const words = new Uint16Array(bytes.buffer, bytes.byteOffset + offset, length >>> 1);
  const count = words.length;
  let total = 0;
  let index = 0;
  for (const stop = count - 7; index < stop; index += 8) {
    total +=
      (words[index] as number) +
      (words[index + 1] as number) +
      (words[index + 2] as number) +
      (words[index + 3] as number) +
      (words[index + 4] as number) +
      (words[index + 5] as number) +
      (words[index + 6] as number) +
      (words[index + 7] as number);
  }
  for (; index < count; index++) total += words[index] as number;
  const folded = foldSum(total);
  const ordered = IS_LITTLE_ENDIAN ? ((folded & 0xff) << 8) | (folded >>> 8) : folded;
  const odd = (length & 1) === 0 ? 0 : (bytes[offset + length - 1] as number) << 8;
  return sum + ordered + odd;
}

/** The sum of the pseudo-header of TCP and UDP (RFC 9293 3.1, RFC 768), to start {@link addToSum} with. */
export function pseudoHeaderSum(
  source: number,
  destination: number,
  protocol: number,
  length: number,
): number {
  return (
    (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length
  );
}

/** Folds a sum to 16 bits, with end-around carry, not complemented. */
export function foldSum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x1_0000) + Math.floor(folded / 0x1_0000);
  return folded;
}

/** Folds a sum and complements it: the value for the checksum field. */
export function finishChecksum(sum: number): number {
  return ~foldSum(sum) & 0xffff;
}

/** The checksum of one range. Over a range that holds a right checksum field it is 0. */
export function checksum(bytes: Uint8Array, offset: number, length: number): number {
  return finishChecksum(addToSum(0, bytes, offset, length));
}

/** The checksum after one 16-bit word under it has changed (RFC 1624 equation 3). */
export function updateChecksum(current: number, oldWord: number, newWord: number): number {
  return finishChecksum((~current & 0xffff) + (~oldWord & 0xffff) + newWord);
}
