// Verifying the checksum of a protocol with pseudo-header (UDP, TCP), with what is known from the device.
import { addToSum, ChecksumState, foldSum, pseudoHeaderSum, readU16 } from '@rfsis/link';

/** `partial`: only the pseudo-header was summed, because the datagram never left this machine. */
export type ChecksumVerdict = 'right' | 'partial' | 'wrong';

/**
 * Judges the checksum of the payload of a datagram.
 * @param fieldOffset where the checksum lies
 * @param acceptPartial whether a field that holds just the sum of the pseudo-header is taken as "not filled in yet":
 *   so do frames look that a kernel on the same machine sends over AF_PACKET. One wrong datagram in 65,536 looks so too.
 */
export function judgeChecksum(
  source: number,
  destination: number,
  protocol: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  fieldOffset: number,
  state: ChecksumState,
  acceptPartial: boolean,
): ChecksumVerdict {
  if (state === ChecksumState.valid) return 'right';
  if (state === ChecksumState.partial) return 'partial';
  const pseudo = pseudoHeaderSum(source, destination, protocol, length);
  if (foldSum(addToSum(pseudo, bytes, offset, length)) === 0xffff) return 'right';
  return acceptPartial && readU16(bytes, fieldOffset) === foldSum(pseudo) ? 'partial' : 'wrong';
}
