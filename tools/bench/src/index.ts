// @rfsis/tool-bench: measurements of RFSIS and of what people use today. See README.md.
export * from './errors.js';
export * from './failover-udp/gap-plot.js';
export * from './failover-udp/measurement.js';
export * from './failover-udp/report.js';
export { measureFailovers, type SessionOptions, type SessionResult } from './failover-udp/session.js';
export type { Machine } from './machine.js';
export * from './statistics.js';
