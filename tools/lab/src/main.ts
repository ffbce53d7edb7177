#!/usr/bin/env node
// The lab by hand: labs that stay until they are taken down, and faults in them, from the shell.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Command, CommanderError } from 'commander';
import { resolveProgram } from './commands.js';
import { LabError } from './errors.js';
import { Lab } from './lab.js';
import type { LabHost } from './lab-host.js';
import { ownerOf } from './names.js';
import { labEnvironment } from './requirements.js';
import { addStandardHosts, STANDARD_ADDRESSES } from './standard-layout.js';

const DEFAULT_LAB = 'play';
const EXIT_USAGE = 2;
const SIGNAL_EXIT_BASE = 128;

const EXAMPLES = `
Hosts of a lab: client (${STANDARD_ADDRESSES.client}), gateway (${STANDARD_ADDRESSES.gateway}), and the nodes alpha and beta, whose
interface eth0 has no address: give them to RFSIS (${STANDARD_ADDRESSES.alpha}, ${STANDARD_ADDRESSES.beta}, service ${STANDARD_ADDRESSES.service}).

A <host> is a name as in "client" (of lab "${DEFAULT_LAB}"), or with its lab as in "echo-udp/client".

Examples:
  up                                            make lab "${DEFAULT_LAB}"
  exec client -- nc -u ${STANDARD_ADDRESSES.service} 7                talk to the service
  exec beta -- tcpdump -n -i eth0 arp           watch the beats
  link alpha down                               pull a cable
  partition alpha beta                          the nodes no longer hear each other
  loss client 10                                lose 10 % of the client's frames
  clear                                         end all faults
  down                                          remove the lab and all that runs in it
`;

/** Runs one command line; the exit code is left in `process.exitCode`. */
async function main(argv: readonly string[]): Promise<void> {
  try {
    await commands().parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
      return;
    }
    if (!(error instanceof LabError)) throw error;
    process.stderr.write(`rfsis-lab: ${error.message}\n`);
    process.exitCode = EXIT_USAGE;
  }
}

function commands(): Command {
  const program = new Command('rfsis-lab')
    .description(
      'Small networks of namespaces, to play with RFSIS by hand. The network of this machine is not touched.',
    )
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .enablePositionalOptions();
  addLabCommands(program);
  addFaultCommands(program);
  program
    .command('exec')
    .description('run a command in the namespace of a host, as root, on this terminal')
    .argument('<host>', 'such as client')
    .argument('<command...>', 'after --')
    .passThroughOptions()
    .action(runInHost);
  return program;
}

function addLabCommands(program: Command): void {
  program
    .command('up')
    .description('make a lab that stays until it is taken down')
    .argument('[lab]', 'its name', DEFAULT_LAB)
    .option('--offloads', 'interfaces offload checksums and segmentation, as real ones do', false)
    .action(async (name: string, options: { offloads: boolean }) => {
      await using lab = await Lab.create({ name, offloads: options.offloads });
      try {
        await addStandardHosts(lab);
      } catch (error) {
        await Lab.remove(name);
        throw error;
      }
      say(describe(lab));
    });
  program
    .command('down')
    .description('remove a lab and end everything that runs in it')
    .argument('[lab]', 'its name', DEFAULT_LAB)
    .action(async (name: string) => {
      if (!(await Lab.remove(name))) throw new LabError('RFSIS_LAB_NOT_FOUND', `there is no lab "${name}"`);
    });
  program
    .command('list')
    .description('show all labs with their hosts')
    .action(async () => {
      for (const name of Lab.list()) {
        // One that is just being made or removed has no complete description.
        const lab = await Lab.attach(name).catch(() => undefined);
        say(lab === undefined ? `${name} (incomplete)\n` : describe(lab));
        await lab?.close();
      }
    });
  program
    .command('reap')
    .description('remove what labs of programs that were killed have left behind')
    .action(async () => {
      for (const name of await Lab.reap()) say(`removed ${name}\n`);
    });
}

function addFaultCommands(program: Command): void {
  program
    .command('link')
    .description('pull the cable of a host, or put it back')
    .argument('<host>')
    .argument('<state>', 'up or down')
    .action(async (host: string, state: string) => {
      if (state !== 'up' && state !== 'down')
        throw usage(`"${state}" is no state of a link: expected up or down`);
      await withHosts([host], async (lab, [target]) => {
        await (state === 'up' ? lab.linkUp(target) : lab.linkDown(target));
      });
    });
  program
    .command('partition')
    .description('stop all frames between two hosts')
    .argument('<from>')
    .argument('<to>')
    .option('--one-way', 'only from the first to the second', false)
    .action(async (from: string, to: string, options: { oneWay: boolean }) => {
      await withHosts([from, to], async (lab, [first, second]) => {
        await lab.partition([first], [second ?? first], options);
      });
    });
  program
    .command('loss')
    .description('lose a share of the frames of a host, in both directions')
    .argument('<host>')
    .argument('<percent>', '0 to 100; 0 ends it')
    .action(async (host: string, percent: string) => {
      const share = Number(percent);
      if (!(share >= 0 && share <= 100)) throw usage(`"${percent}" is no share: expected 0 to 100 (percent)`);
      await withHosts([host], async (lab, [target]) => lab.loss(target, share / 100));
    });
  program
    .command('clear')
    .description('end all faults of a lab')
    .argument('[lab]', 'its name', DEFAULT_LAB)
    .action(async (name: string) => {
      await using lab = await Lab.attach(name);
      await lab.clearFaults();
    });
}

async function runInHost(target: string, words: readonly string[]): Promise<void> {
  const command = words[0] === '--' ? words.slice(1) : words;
  if (command.length === 0) throw usage('exec: no command given');
  await withHosts([target], async (_lab, [host]) => {
    const [program = '', ...args] = resolveProgram([
      'ip',
      'netns',
      'exec',
      host.namespace,
      ...resolveProgram(command),
    ]);
    const child = spawn(program, args, { stdio: 'inherit', env: labEnvironment() });
    // The terminal sends its signals to the command as well; it decides what they mean.
    const ignore = (): void => undefined;
    process.on('SIGINT', ignore).on('SIGQUIT', ignore);
    process.exitCode = await new Promise<number>((resolve) => {
      child.once('exit', (code, signal) => {
        resolve(code ?? SIGNAL_EXIT_BASE + (signal === null ? 0 : constants.signals[signal]));
      });
    });
    process.off('SIGINT', ignore).off('SIGQUIT', ignore);
  });
}

/** Calls `work` with the hosts of the given names, all of one lab. */
async function withHosts(
  targets: readonly [string, ...string[]],
  work: (lab: Lab, hosts: readonly [LabHost, ...LabHost[]]) => Promise<void>,
): Promise<void> {
  const [first, ...others] = targets.map(splitTarget) as [Target, ...Target[]];
  if (others.some(({ lab }) => lab !== first.lab)) throw usage('both hosts must be of the same lab');
  await using lab = await Lab.attach(first.lab);
  await work(lab, [lab.host(first.host), ...others.map(({ host }) => lab.host(host))]);
}

interface Target {
  readonly lab: string;
  readonly host: string;
}

function splitTarget(target: string): Target {
  const slash = target.indexOf('/');
  return slash < 0
    ? { lab: DEFAULT_LAB, host: target }
    : { lab: target.slice(0, slash), host: target.slice(slash + 1) };
}

function describe(lab: Lab): string {
  const owner = ownerOf(lab.name);
  const lines = lab.hosts.map((host) => {
    const address = host.address?.toString() ?? 'no address';
    return `  ${host.name.padEnd(13)} ${host.mac.toString()}  ${address.padEnd(15)}  ip netns exec ${host.namespace} ...\n`;
  });
  return `${lab.name}${owner === undefined ? '' : ` (of process ${owner})`}\n${lines.join('')}`;
}

function usage(message: string): LabError {
  return new LabError('RFSIS_LAB_COMMAND_FAILED', message);
}

function say(text: string): void {
  process.stdout.write(text);
}

await main(process.argv);
