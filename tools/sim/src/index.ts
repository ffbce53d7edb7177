// Worlds in virtual time: two nodes, clients and the network in one process.
export * from './host.js';
export * from './udp-prober.js';
export * from './world.js';
