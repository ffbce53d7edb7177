// @rfsis/link: frames in and out. See README.md for what is here and what is not.
export * from './checksum.js';
export * from './clock.js';
export * from './device.js';
export * from './errors.js';
export * from './ethernet.js';
export * from './fault-injector.js';
export * from './ipv4-address.js';
export * from './mac-address.js';
export * from './memory-switch.js';
export * from './octets.js';
export * from './pcapng.js';
export * from './random.js';
export * from './shared-device.js';
export * from './system-clock.js';
export * from './tracing-device.js';
export * from './virtual-clock.js';
