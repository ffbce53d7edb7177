// Things the tests of this package have in common.
import { ARP_OCTETS, emitArp } from '@rfsis/arp';
import { Ipv4Address, MacAddress } from '@rfsis/link';
import { BEAT_TRAILER_OCTETS, SessionId, type Beat } from '../src/index.js';

export const MAIN_MAC = MacAddress.parse('02:5e:10:00:00:01');
export const BACKUP_MAC = MacAddress.parse('02:5e:10:00:00:02');
export const MAIN_IP = Ipv4Address.parse('10.77.0.11');
export const BACKUP_IP = Ipv4Address.parse('10.77.0.12');
export const SERVICE_IP = Ipv4Address.parse('10.77.0.10');

/** Octets 00, 01, 02 ... 1f */
export const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
export const OTHER_KEY = new TextEncoder().encode('0123456789abcdef');

export const BEAT: Beat = {
  kind: 'beat',
  role: 'main',
  preferred: true,
  ready: true,
  protected: true,
  epoch: 0x0102_0304,
  session: SessionId.parse('a1a2a3a4a5a6a7a8'),
  echo: SessionId.parse('b1b2b3b4b5b6b7b8'),
  sequence: 0x10_0000_0002,
  progress: 3,
  intervalMs: 10.5,
};

/** An ARP packet with room for a trailer behind it. */
export function arpPacket(extraOctets = BEAT_TRAILER_OCTETS): Uint8Array {
  const bytes = new Uint8Array(ARP_OCTETS + extraOctets);
  emitArp(bytes, 0, {
    operation: 2,
    senderMac: MAIN_MAC,
    senderIp: MAIN_IP,
    targetMac: BACKUP_MAC,
    targetIp: BACKUP_IP,
  });
  return bytes;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
