// @rfsis/arp: who has an IPv4 address on this segment, and keeping ours. See README.md for what is here and what is not.
export { ANNOUNCE_RFC5227, ANNOUNCE_TAKEOVER, type AnnounceSchedule } from './announcer.js';
export * from './arp-endpoint.js';
export * from './arp-packet.js';
export * from './counters.js';
export * from './errors.js';
export type { NeighborState } from './neighbor-cache.js';
export {
  ARP_DEFAULTS,
  type AddressConflict,
  type ArpDevice,
  type ArpEndpointOptions,
  type ArpTask,
  type ArpTrailer,
  type ArpTrust,
  type HoldLimits,
  type NeighborTiming,
  type ResolveOptions,
  type TrailerKind,
  type UnresolvedNeighbor,
} from './options.js';
export {
  PROBE_FAST,
  PROBE_RFC5227,
  type ProbeConflict,
  type ProbeResult,
  type ProbeTiming,
} from './prober.js';
export type { TransmitResult } from './resolver.js';
