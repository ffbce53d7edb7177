// @rfsis/arp: who has an IPv4 address on this segment, and keeping ours. See README.md for what is here and what is not.
export * from './announcer.js';
export * from './arp-endpoint.js';
export * from './arp-packet.js';
export * from './counters.js';
export * from './errors.js';
export * from './neighbor-cache.js';
export * from './options.js';
export * from './prober.js';
export type { TransmitResult } from './resolver.js';
