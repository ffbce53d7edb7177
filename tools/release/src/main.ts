#!/usr/bin/env node
// The release check from the shell.
import { dirname } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { checkRelease } from './check-release.js';
import type { Finding } from './findings.js';
import { SetupError } from './setup-error.js';

const EXIT_FINDINGS = 1;
const EXIT_USAGE = 2;
const MS_PER_MINUTE = 60_000;

interface Options {
  readonly package: readonly string[];
  readonly keep: boolean;
  readonly limitMinutes: number;
}

function command(): Command {
  return new Command('release-check')
    .description(
      'Proves that each package can be published, installed alone and used as its README says. Publishes with ' +
        'changesets to a registry on loopback, from a copy of the workspace, which must be built.',
    )
    .option('--package <name...>', 'look at these only, such as link (all are published)', [])
    .option('--keep', 'keep the temporary folder', false)
    .option('--limit-minutes <minutes>', 'kill what still runs then', minutes, 10)
    .addHelpText('after', '\nExit code: 0 all is well, 1 something is wrong, 2 the check could not run.')
    .exitOverride();
}

/** Runs one command line. @returns the exit code */
async function main(argv: readonly string[]): Promise<number> {
  const start = performance.now();
  const say = (line: string): void => {
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    process.stdout.write(`[${seconds.padStart(5)} s] ${line}\n`);
  };
  try {
    const options = command().parse(argv).opts<Options>();
    const stopping = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        stopping.abort();
      });
    }
    const findings = await checkRelease({
      root: dirname(dirname(dirname(import.meta.dirname))),
      only: options.package,
      keep: options.keep,
      limitMs: options.limitMinutes * MS_PER_MINUTE,
      signal: stopping.signal,
      say,
    });
    process.stdout.write(report(findings));
    return findings.length === 0 ? 0 : EXIT_FINDINGS;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`release-check: ${error.message}\n`);
    return EXIT_USAGE;
  }
}

function minutes(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 60) return value;
  throw new InvalidArgumentError('Expected a number of minutes, up to 60.');
}

function report(findings: readonly Finding[]): string {
  if (findings.length === 0) return '\nAll packages can be released.\n';
  const list = findings.map(
    ({ subject, problem }) => `- ${subject}: ${problem.replaceAll('\n', '\n    ')}\n`,
  );
  return `\n${findings.length} found:\n${list.join('')}`;
}

process.exitCode = await main(process.argv);
