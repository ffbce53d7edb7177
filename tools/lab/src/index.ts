// @rfsis/tool-lab: small networks of namespaces for tests, demos and benchmarks. See README.md.
export { analyse, frames, rawFrames, type Analysis, type Finding } from './capture-files.js';
export { Capture, type CaptureOptions, type CaptureSummary } from './capture.js';
export type { CommandOptions, CommandResult } from './commands.js';
export * from './errors.js';
export type { Direction } from './fault-table.js';
export { LabHost, type ExecOptions, type SpawnNodeOptions } from './lab-host.js';
export * from './lab-process.js';
export * from './lab.js';
export * from './monotonic.js';
export * from './node-pair.js';
export * from './output-lines.js';
export type { Availability, LabNeed } from './requirements.js';
export * from './frame-sender.js';
export { SharedLab } from './shared-lab.js';
export * from './standard-layout.js';
export * from './udp-probe.js';
