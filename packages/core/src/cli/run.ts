// Runs one node in the foreground: arguments, configuration, real device, signals, exit codes. The body of an
// application's main file.
import { CapDevice, LinkError, SystemClock } from '@rfsis/link';
import { Command } from 'commander';
import { readConfiguration, type Configuration } from '../config/configuration.js';
import { RfsisError } from '../errors.js';
import { createLogger, standardOutput, type Logger } from '../log.js';
import { EXIT_USAGE } from './exit-codes.js';
import { refuseKernelAddresses } from './kernel-addresses.js';
import type { Application } from '../node/application.js';
import { RfsisNode } from '../node/rfsis-node.js';

/** Options of {@link runNode}. */
export interface RunOptions {
  /** The name of the command, for `--help`. */
  readonly name: string;
  /** One line on what the application does. */
  readonly description: string;
  readonly application: Application;
  /** Default: the arguments of this process. */
  readonly argv?: readonly string[];
}

/**
 * Runs a node until SIGTERM or SIGINT, which hand the service over or say goodbye, and exits the process: 0 after a
 * signal, 2 with one line on standard error when the user has something to mend.
 */
export async function runNode(options: RunOptions): Promise<void> {
  const command = new Command(options.name)
    .description(options.description)
    .requiredOption('-c, --config <file>', 'configuration of this node, JSON')
    .addHelpText('after', EXPLANATION)
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
    });
  command.parse(options.argv ?? process.argv);
  const { config } = command.opts<{ config: string }>();
  try {
    await run(options, readConfiguration(config));
  } catch (error) {
    fail(options.name, error);
  }
}

const EXPLANATION = `
The node runs in the foreground and logs one JSON object a line to standard output.
SIGTERM or Ctrl-C: a main hands the service to its backup and exits, a backup says goodbye and exits.
Needs root or CAP_NET_RAW. Look inside with: rfsis status, rfsis watch.
The keys of the configuration: config.schema.json of @rfsis/core.`;

async function run(options: RunOptions, configuration: Configuration): Promise<void> {
  refuseKernelAddresses(configuration);
  const clock = new SystemClock();
  const output = standardOutput();
  const log = createLogger({ level: configuration.log.level, clock, destination: output });
  const device = new CapDevice({ interfaceName: configuration.interface, clock });
  const node = new RfsisNode({
    configuration,
    device,
    clock,
    log,
    application: options.application,
    control: true,
  });
  leaveOnSignals(node, log, () => {
    output.flushSync();
  });
  try {
    await node.start();
    for (const warning of device.warnings) log.warn({ event: 'device', interface: device.name }, warning);
  } catch (error) {
    node.destroy();
    throw error;
  }
}

function leaveOnSignals(node: RfsisNode, log: Logger, flush: () => void): void {
  let leaving = false;
  const leave = (signal: NodeJS.Signals): void => {
    if (leaving) process.exit(1);
    leaving = true;
    log.info({ event: 'signal', signal }, `${signal}: leaving`);
    void node.stop().then(() => {
      flush();
      process.exit(0);
    });
  };
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);
}

/** One line for what the user can mend; anything else is a defect of ours and shows its stack. */
function fail(name: string, error: unknown): never {
  if (error instanceof RfsisError || error instanceof LinkError) {
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exit(EXIT_USAGE);
  }
  throw error;
}
