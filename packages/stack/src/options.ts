// What a stack is told: its seams, limits and times.
import type { ArpEndpointOptions } from '@rfsis/arp';
import type { Clock, Ipv4Address, LinkDevice, Random } from '@rfsis/link';
import { StackError } from './errors.js';
import type { ErrorRates } from './icmp/rate-limit.js';
import type { Ipv4Limits } from './ipv4/ipv4-layer.js';
import type { UdpLimits } from './udp/udp-layer.js';

/** All limits and times of a stack but those of ARP. */
export interface StackLimits extends Ipv4Limits, ErrorRates, UdpLimits {}

/** Options of {@link Stack}. */
export interface StackOptions extends Partial<StackLimits> {
  /** The stack opens it, and closes it. */
  readonly device: LinkDevice;
  readonly clock: Clock;
  /** Unpredictable, for identifications and ports: `SecureRandom` in production. */
  readonly random: Random;
  /** Where datagrams for other networks go. It must be on a network of an address of the stack to be used. */
  readonly gateway?: Ipv4Address | undefined;
  /** Passed on to the ARP endpoint. */
  readonly arp?: Partial<Omit<ArpEndpointOptions, 'device' | 'clock'>> | undefined;
  /**
   * Whether a UDP checksum that covers only the pseudo-header is taken as "not filled in yet": so do frames of a kernel
   * on the same machine look. Default true. Turn it off on a network of other machines only.
   */
  readonly acceptPartialChecksums?: boolean | undefined;
}

/** The limits and times of a stack that is told nothing. */
export const DEFAULT_STACK_LIMITS: StackLimits = {
  addressLimit: 64,
  routeLimit: 64,
  loopbackOctets: 4 * 2 ** 20,
  pathMtuMinimum: 552,
  pathMtuMs: 600_000,
  pathMtuEntries: 1024,
  reassemblyMs: 30_000,
  reassemblyOctets: 4 * 2 ** 20,
  reassemblySourceOctets: 2 ** 20,
  reassemblyDatagrams: 1024,
  icmpErrorsPerSecond: 1000,
  icmpErrorsPerSecondEach: 50,
  ephemeralPortFirst: 32_768,
  ephemeralPortLast: 65_535,
  udpSockets: 4096,
};

/** The least value of each limit that makes sense. */
const LEAST: StackLimits = {
  addressLimit: 1,
  routeLimit: 1,
  loopbackOctets: 0,
  // RFC 1191 3
  pathMtuMinimum: 68,
  pathMtuMs: 1,
  pathMtuEntries: 1,
  reassemblyMs: 1,
  // One datagram of the greatest length.
  reassemblyOctets: 2 ** 17,
  reassemblySourceOctets: 2 ** 17,
  reassemblyDatagrams: 1,
  icmpErrorsPerSecond: 1,
  icmpErrorsPerSecondEach: 1,
  ephemeralPortFirst: 1,
  ephemeralPortLast: 1,
  udpSockets: 1,
};

/**
 * The limits in force.
 * @throws {StackError} `RFSIS_STACK_OPTION_INVALID`
 */
export function stackLimits(options: Partial<StackLimits>): StackLimits {
  const limits: Record<keyof StackLimits, number> = { ...DEFAULT_STACK_LIMITS };
  for (const name of Object.keys(DEFAULT_STACK_LIMITS) as (keyof StackLimits)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (!Number.isFinite(value) || value < LEAST[name]) {
      throw new StackError(
        'RFSIS_STACK_OPTION_INVALID',
        `${name} ${value}: expected a number of at least ${LEAST[name]}`,
      );
    }
    limits[name] = value;
  }
  return limits;
}
