// The rfsis command: looks into a running node, hands the service over, checks a configuration.
import { Command } from 'commander';
import { readConfiguration } from '../config/configuration.js';
import { configurationSchema } from '../config/schema.js';
import { ControlClient, findControlSocket } from '../control/control-client.js';
import type { NodeStatus } from '../control/status.js';
import { RfsisError } from '../errors.js';
import { EXIT_USAGE } from './exit-codes.js';
import { renderStatus } from './render-status.js';
import { watch } from './watch.js';

interface NodeChoice {
  readonly socket?: string;
  readonly config?: string;
}

/** Runs the command line; resolves with the exit code. */
export async function rfsis(argv: readonly string[], print: (text: string) => void): Promise<number> {
  const program = new Command('rfsis')
    .description('Looks after RFSIS nodes: a server address that survives the death of the server.')
    .exitOverride()
    .configureOutput({ writeOut: print });
  onNode(program.command('status').description('what a node is doing, once'))
    .option('--json', 'as the JSON object that GET /status gives')
    .action(async (options: NodeChoice & { json?: boolean }) => {
      const status = await clientOf(options).status();
      print(options.json === true ? `${JSON.stringify(status, null, 2)}\n` : renderStatus(status));
    });
  onNode(program.command('watch').description('the same, live, until Ctrl-C'))
    .option('--interval <ms>', 'time between two looks', '500')
    .action(async (options: NodeChoice & { interval: string }) => {
      const intervalMs = Number(options.interval);
      if (!(intervalMs >= 50 && intervalMs <= 3_600_000))
        throw new RfsisError('RFSIS_STATE', '--interval: expected 50 to 3600000 (milliseconds)');
      await watch(clientOf(options), intervalMs, print);
    });
  onNode(program.command('handover').description('asks a main to hand the service to its backup')).action(
    async (options: NodeChoice) => {
      const status: NodeStatus = await clientOf(options).handover();
      print(
        `handed over: ${status.peer.address} serves ${status.serviceAddress}, this node is ${status.role}\n`,
      );
    },
  );
  program
    .command('check-config')
    .description('checks a configuration file')
    .argument('<file>')
    .action((file: string) => {
      const configuration = readConfiguration(file);
      const { role, serviceAddress, nodeAddress, peerAddress } = configuration;
      print(
        `${file}: good; ${role} ${nodeAddress.toString()} with peer ${peerAddress.toString()} ` +
          `serves ${serviceAddress.toString()}\n`,
      );
    });
  program
    .command('schema')
    .description('prints the JSON Schema of the configuration file')
    .action(() => {
      print(`${JSON.stringify(configurationSchema, null, 2)}\n`);
    });
  return execute(program, argv);
}

async function execute(program: Command, argv: readonly string[]): Promise<number> {
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof RfsisError) {
      process.stderr.write(`rfsis: ${error.message}\n`);
      return EXIT_USAGE;
    }
    // Commander has printed its message already.
    if (error instanceof Error && 'exitCode' in error) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    throw error;
  }
}

function onNode(command: Command): Command {
  return command
    .option('-s, --socket <path>', "the node's control socket; default: the only one in /run/rfsis")
    .option('-c, --config <file>', "the node's configuration, to find its control socket");
}

function clientOf({ socket, config }: NodeChoice): ControlClient {
  if (socket !== undefined) return new ControlClient(socket);
  if (config !== undefined) return new ControlClient(readConfiguration(config).controlSocket);
  return new ControlClient(findControlSocket());
}
