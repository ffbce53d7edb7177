// Frames sent exactly as given from any host: forged, replayed, malformed; and a stranger who claims an address by ARP.
import { emitEthernetHeader, EtherType, Ipv4Address, MacAddress, writeU16 } from '@rfsis/link';
import { LabError } from './errors.js';
import type { LabHost } from './lab-host.js';
import type { LabProcess } from './lab-process.js';
import { clientFile } from './workspace.js';

/** Options of {@link sendFrames}. */
export interface SendFramesOptions {
  /** Rounds over all frames; default 1. */
  readonly times?: number;
  /** Time between two frames; default 0. */
  readonly intervalMs?: number;
}

const MIN_FRAME_OCTETS = 60;
const ARP_BODY_OCTETS = 28;
const SEND_TIMEOUT_MS = 30_000;

/**
 * Sends raw Ethernet frames from the interface of a host, as they are.
 * @returns how many the kernel took
 */
export async function sendFrames(
  host: LabHost,
  frames: readonly Uint8Array[],
  options: SendFramesOptions = {},
): Promise<number> {
  const { times = 1, intervalMs = 0 } = options;
  if (times < 1) throw new LabError('RFSIS_LAB_COMMAND_FAILED', `frames cannot be sent ${times} times`);
  const sender = startSender(host, frames, times, intervalMs);
  const { fields } = await sender.waitForEvent(
    { event: 'sent' },
    SEND_TIMEOUT_MS + times * frames.length * intervalMs,
  );
  await sender.ended;
  return Number(fields['sent']);
}

/** What {@link gratuitousArp} claims. */
export interface ArpClaim {
  readonly address: string;
  /** Who has it now. */
  readonly mac: MacAddress;
  /** A `request` for the own address (RFC 5227's announcement) or an unasked `reply`; default request. */
  readonly operation?: 'request' | 'reply';
}

/** The frame by which a host tells everybody that an address is its own: sender and target are the same address. */
export function gratuitousArp(claim: ArpClaim): Uint8Array {
  const frame = new Uint8Array(MIN_FRAME_OCTETS);
  const body = emitEthernetHeader(frame, 0, MacAddress.BROADCAST.value, claim.mac.value, EtherType.arp);
  const address = Ipv4Address.parse(claim.address);
  const isReply = claim.operation === 'reply';
  // RFC 826: hardware Ethernet, protocol IPv4, lengths 6 and 4, operation, then sender and target.
  writeU16(frame, body, 1);
  writeU16(frame, body + 2, EtherType.ipv4);
  writeU16(frame, body + 4, 0x0604);
  writeU16(frame, body + 6, isReply ? 2 : 1);
  claim.mac.writeTo(frame, body + 8);
  address.writeTo(frame, body + 14);
  if (isReply) claim.mac.writeTo(frame, body + 18);
  address.writeTo(frame, body + ARP_BODY_OCTETS - 4);
  return frame;
}

/** Options of {@link startForeignClaimant}. */
export interface ForeignClaimantOptions extends Partial<ArpClaim> {
  readonly address: string;
  /** Time between two claims; default 100. */
  readonly intervalMs?: number;
}

/**
 * A stranger claims an address by gratuitous ARP from `host`, again and again, until the process is stopped. It has
 * claimed at least once soon after this returns. For one that also answers requests, use `LabHost.addAddress`.
 */
export async function startForeignClaimant(
  host: LabHost,
  options: ForeignClaimantOptions,
): Promise<LabProcess> {
  const frame = gratuitousArp({ ...options, mac: options.mac ?? host.mac });
  const claimant = startSender(host, [frame], 0, options.intervalMs ?? 100);
  await claimant.waitForEvent({ event: 'ready' }, SEND_TIMEOUT_MS);
  return claimant;
}

function startSender(
  host: LabHost,
  frames: readonly Uint8Array[],
  times: number,
  intervalMs: number,
): LabProcess {
  const sender = host.spawn([
    ...['python3', clientFile('frame_sender.py'), '--interface', host.interface],
    ...['--times', String(times), '--interval-ms', String(intervalMs)],
  ]);
  sender.write(frames.map((frame) => `${Buffer.from(frame).toString('hex')}\n`).join(''));
  sender.endInput();
  return sender;
}
