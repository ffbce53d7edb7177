// The benchmarks from the shell: the name of one, then its options.
import { LabError } from '@rfsis/tool-lab';
import { Command, CommanderError } from 'commander';
import { BenchError } from './errors.js';
import { addFailoverUdp } from './failover-udp/command.js';

const EXIT_UNUSABLE = 2;

const EXAMPLES = `
Progress goes to standard error, figures to standard output. Exit code 0 whatever the figures are, unless --check.

Examples:
  failover-udp                       20 failovers of RFSIS, and of keepalived if it is installed
  failover-udp --json --runs 5       the same as one JSON object, quicker
  failover-udp --help                what is measured, and what each column means
`;

/**
 * Runs one command line; what a user can mend becomes one line on standard error.
 * @returns the exit code
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const state = { exitCode: 0 };
  const program = new Command('rfsis-bench')
    .description('Measures RFSIS, and beside it what people use today, in a lab of network namespaces.')
    .addHelpText('after', EXAMPLES)
    .exitOverride();
  addFailoverUdp(program, state);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_UNUSABLE;
    if (!(error instanceof LabError) && !(error instanceof BenchError)) throw error;
    process.stderr.write(`rfsis-bench: ${error.message}\n`);
    return EXIT_UNUSABLE;
  }
  return state.exitCode;
}
