// @rfsis/core: a server's IP address survives the death of the server. See README.md.
export { EXIT_USAGE } from './cli/exit-codes.js';
export { runNode, type RunOptions } from './cli/run.js';
export { parseConfiguration, readConfiguration, type Configuration } from './config/configuration.js';
export { configurationSchema } from './config/schema.js';
export { ControlClient, findControlSocket } from './control/control-client.js';
export type { HeartbeatStatus, NodeStatus } from './control/status.js';
export { RfsisError, type RfsisErrorCode } from './errors.js';
export { createLogger, type Logger, type LoggerOptions } from './log.js';
export type { Application, ApplicationContext } from './node/application.js';
export { RfsisNode, type RfsisNodeOptions } from './node/rfsis-node.js';
export type { Arbiter, ArbiterVerdict } from './role/arbiter.js';
export type { ClaimReason, FenceReason, Protection, RoleReason } from './role/role-machine.js';
