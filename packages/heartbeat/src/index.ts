// @rfsis/heartbeat: the beat in an ARP frame and its sender. See README.md for what is here and what is not.
export * from './beat.js';
export * from './beat-codec.js';
export * from './beat-view.js';
export * from './duration-statistics.js';
export * from './errors.js';
export * from './heartbeat-sender.js';
export * from './session-id.js';
