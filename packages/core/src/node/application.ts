// What a node offers to the application that runs on it.
import type { Stack } from '@rfsis/stack';
import { createDgram, type Dgram } from '@rfsis/stack/dgram';
import type { Configuration } from '../config/configuration.js';
import type { Logger } from '../log.js';

/** What an application gets to work with. The same application runs on both nodes. */
export interface ApplicationContext {
  /** `node:dgram` on the user-space stack. */
  readonly dgram: Dgram;
  /** Bind to it: on the backup nothing arrives until it takes over. */
  readonly serviceAddress: string;
  /** `port` of the configuration. */
  readonly port: number;
  readonly stack: Stack;
  readonly log: Logger;
}

/** Opens the application's sockets. Called once, before the node joins. */
export type Application = (context: ApplicationContext) => void | Promise<void>;

/** The context on one node; sockets that are bound to no address are bound to the service address. */
export function applicationContext(
  { serviceAddress, port }: Configuration,
  stack: Stack,
  log: Logger,
): ApplicationContext {
  const address = serviceAddress.address.toString();
  return { dgram: createDgram(stack, { address }), serviceAddress: address, port, stack, log };
}
