import { ChecksumState, foldSum, pseudoHeaderSum, writeU16 } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { judgeChecksum } from '../../src/ipv4/transport-checksum.js';
import { emitUdp } from '../../src/udp/datagram.js';
import { hex, ip } from '../network.js';

const source = ip('10.0.0.2');
const destination = ip('10.0.0.1');

function datagram(): Uint8Array {
  const bytes = new Uint8Array(11);
  emitUdp(bytes, 0, source, destination, {
    sourcePort: 1000,
    destinationPort: 7,
    payload: hex('010203'),
  });
  return bytes;
}

function judge(
  bytes: Uint8Array,
  state: ChecksumState = ChecksumState.unknown,
  acceptPartial = true,
): string {
  return judgeChecksum(source.value, destination.value, 17, bytes, 0, 11, 6, state, acceptPartial);
}

describe('judgeChecksum', () => {
  it('finds right and wrong ones', () => {
    const bytes = datagram();
    expect(judge(bytes)).toBe('right');
    bytes[9] = 0x55;
    expect(judge(bytes)).toBe('wrong');
  });

  it('takes the sum of the pseudo-header alone as "not filled in yet", unless told not to', () => {
    const bytes = datagram();
    writeU16(bytes, 6, foldSum(pseudoHeaderSum(source.value, destination.value, 17, 11)));
    expect(judge(bytes)).toBe('partial');
    expect(judge(bytes, ChecksumState.unknown, false)).toBe('wrong');
  });

  it('believes the device', () => {
    const bytes = datagram();
    bytes[9] = 0x55;
    expect(judge(bytes, ChecksumState.valid)).toBe('right');
    expect(judge(bytes, ChecksumState.partial)).toBe('partial');
  });
});
