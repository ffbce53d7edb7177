// nx run echo-udp:serve: one node in the foreground. With --config it runs that; without, it makes or joins a local lab,
// so that two terminals are a pair and a third is the client.
import { join } from 'node:path';
import { LabError, nodeConfiguration, SharedLab, STANDARD_ADDRESSES } from '@rfsis/tool-lab';
import { Command } from 'commander';
import { runHere } from './run-here.js';

const EXIT_USAGE = 2;
const WORKSPACE = join(import.meta.dirname, '../../..');

const command = new Command('serve')
  .description('Runs one node of an example application in the foreground.')
  .argument('<application>', 'the folder below apps, for example echo-udp')
  .option('-c, --config <file>', 'the configuration of the node; without one a local lab is used')
  .option('--lab <name>', 'the name of the local lab', 'demo')
  .addHelpText(
    'after',
    `
Without --config, as root: the first serve makes a network of namespaces and becomes the main, the second joins it as
the backup, and both print the command that opens a client. The network of this machine is not touched. Ctrl-C hands
over and leaves; the last one removes the network.`,
  );
command.parse();

const [application] = command.processedArgs as [string];
const { config, lab } = command.opts<{ config?: string; lab: string }>();
const main = join(WORKSPACE, 'apps', application, 'dist/main.js');

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function serveInLab(): Promise<number> {
  await using shared = await SharedLab.joinOrCreate(lab);
  const file = shared.lab.writeJson(
    `${shared.seat}.json`,
    nodeConfiguration(shared.seat, { controlSocket: join(shared.lab.folder, `${shared.seat}.sock`) }),
  );
  const client = shared.commandIn('client', ['nc', '-u', STANDARD_ADDRESSES.service, '7']);
  say(
    `this is ${shared.seat}; ${shared.created ? 'run the same command in a second terminal for its backup' : 'joined the lab'}`,
  );
  say(`client, in another terminal: ${client}`);
  const node = [process.execPath, main, '--config', file];
  return await runHere('ip', ['netns', 'exec', shared.node.namespace, ...node], (pid) => {
    say(`end this node with Ctrl-C (it hands over) or with kill -9 ${pid}, and keep typing in the client`);
  });
}

try {
  process.exitCode =
    config === undefined ? await serveInLab() : await runHere(process.execPath, [main, '--config', config]);
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  say(`serve: ${error.message}`);
  say('or run one node on a real interface: nx run echo-udp:serve --config FILE');
  process.exitCode = EXIT_USAGE;
}
