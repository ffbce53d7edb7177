// @rfsis/sniffer: hears a peer's heartbeats and decides that it is dead. See README.md for what is here and what is not.
export * from './arrival-statistics.js';
export * from './errors.js';
export * from './failure-detector.js';
export * from './fixed-timeout-detector.js';
export * from './monitor-options.js';
export * from './normal-tail.js';
export * from './peer-monitor.js';
export * from './phi-accrual-detector.js';
export { type PeerState } from './liveness.js';
export { type VerificationBudgetOptions } from './verification-budget.js';
