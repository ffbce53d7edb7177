// Runs one node in the foreground: arguments, configuration, real device, signals, exit codes. The body of an
// application's main file.
import { CapDevice, LinkError, SystemClock, type Clock, type LinkDevice } from '@rfsis/link';
import { Command } from 'commander';
import { readConfiguration, type Configuration } from '../config/configuration.js';
import { RfsisError } from '../errors.js';
import { createLogger, standardOutput, type Logger, type LogOutput } from '../log.js';
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
  /** Makes the device of the node, not open yet. Default: a `CapDevice` on the configured interface. */
  readonly device?: (configuration: Configuration, clock: Clock) => LinkDevice;
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
  const clock = new SystemClock();
  const output = standardOutput(clock);
  const log = createLogger({ level: configuration.log.level, clock, destination: output });
  const device = (options.device ?? openInterface)(configuration, clock);
  const { application } = options;
  const node = new RfsisNode({ configuration, device, clock, log, application, control: true });
  const isLeaving = leaveOnSignals(node, log, output);
  try {
    await node.start();
  } catch (error) {
    // A signal ended the start, and is about to end the process.
    if (isLeaving()) return;
    await output.finish();
    throw error;
  }
  if (!(device instanceof CapDevice)) return;
  for (const warning of device.warnings) log.warn({ event: 'device', interface: device.name }, warning);
}

function openInterface(configuration: Configuration, clock: Clock): LinkDevice {
  refuseKernelAddresses(configuration);
  return new CapDevice({ interfaceName: configuration.interface, clock });
}

/** @returns whether a signal has come */
function leaveOnSignals(node: RfsisNode, log: Logger, output: LogOutput): () => boolean {
  let leaving = false;
  const leave = (signal: NodeJS.Signals): void => {
    // Whoever asks twice does not want to wait for a handover.
    if (leaving) process.exit(1);
    leaving = true;
    log.info({ event: 'signal', signal }, `${signal}: leaving`);
    void node
      .stop()
      .then(() => output.finish())
      .then(() => process.exit(0));
  };
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);
  return () => leaving;
}

/** One line for what the user can mend; anything else is a defect of ours and shows its stack. */
function fail(name: string, error: unknown): never {
  if (error instanceof RfsisError || error instanceof LinkError) {
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exit(EXIT_USAGE);
  }
  throw error;
}
