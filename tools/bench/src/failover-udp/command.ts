// The command line of `failover-udp`.
import { writeFileSync } from 'node:fs';
import { SecureRandom } from '@rfsis/link';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { BenchError } from '../errors.js';
import { watchMachine } from '../machine.js';
import { gapPlot } from './gap-plot.js';
import { failoverReport, passes, TARGET_TIMERS, type FailoverReport } from './report.js';
import { reportText } from './report-text.js';
import { measureFailovers, type PeerChoice } from './session.js';

interface FailoverOptions {
  readonly json: boolean;
  readonly check: boolean;
  readonly runs: number;
  readonly batch: number;
  readonly interval: number;
  readonly timeout: number;
  readonly peer: PeerChoice;
  readonly svg?: string;
}

const EXPLANATION = `
Two nodes serve UDP echo at one address; a client (the kernel's) sends a datagram each millisecond; the main loses its
power at a random moment. The gap is the longest time between the sending of two answered datagrams. keepalived does the
same in the same lab, in turns: VRRP 3, advertisements each 10 ms (the fastest it has), echo services of the kernel.

In the list of runs, in milliseconds; from "last sign" to "logged" after the power loss:
  silence      the longest time between the arrival of two answers
  last sign    the main's last beat, at the switch; a random phase
  announced    the first ARP announcement of the new main, at the switch
  sent         when the first datagram was sent that was answered, and
  answered     when an answer arrived
  ARP asked    the new main asked for the client's MAC address, which it needs to answer
  logged       when the new main's log line was read; detect and install are what that line says
  prober late  by how much the prober missed its own time at worst: the gap may be overstated by that
  busy         share of the processors at work, by whomever
Needs root and Linux. Runs of which the prober was late are marked, not left out. Quiet machines give better figures.`;

/**
 * Adds the command.
 * @param state gets exit code 1 when `--check` finds a target missed
 */
export function addFailoverUdp(program: Command, state: { exitCode: number }): void {
  program
    .command('failover-udp')
    .description('how long UDP datagrams go unanswered when the main loses its power')
    .option('--json', 'one JSON object on standard output instead of tables', false)
    .option('--runs <number>', 'failovers of each contender', wholeNumber(1, 1000), 20)
    .option(
      '--batch <number>',
      "failovers with one pair before it is the other contender's turn",
      wholeNumber(1, 1000),
      5,
    )
    .option(
      '--interval <ms>',
      'heartbeat.intervalMs of RFSIS',
      wholeNumber(1, 60_000),
      TARGET_TIMERS.intervalMs,
    )
    .option('--timeout <ms>', 'heartbeat.timeoutMs of RFSIS', wholeNumber(2, 60_000), TARGET_TIMERS.timeoutMs)
    .addOption(
      new Option('--peer <name>', 'what to measure beside it; auto: keepalived if it is installed')
        .choices(['auto', 'keepalived', 'none'])
        .default('auto'),
    )
    .option('--svg <file>', 'also draw the gaps into this file')
    .option('--check', 'exit code 1 when a target is missed', false)
    .addHelpText('after', EXPLANATION)
    .action(async (options: FailoverOptions) => {
      const report = await run(options);
      if (options.check && !passes(report)) state.exitCode = 1;
    });
}

async function run(options: FailoverOptions): Promise<FailoverReport> {
  const finish = watchMachine();
  const { rfsis, peer } = await measureFailovers({
    runs: options.runs,
    batch: options.batch,
    intervalMs: options.interval,
    timeoutMs: options.timeout,
    peer: options.peer,
    random: new SecureRandom(),
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  const report = failoverReport(finish(), rfsis, peer);
  process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : reportText(report));
  if (options.svg !== undefined) draw(options.svg, report);
  return report;
}

function draw(file: string, { rfsis, peer, targets }: FailoverReport): void {
  const results = peer === null ? [rfsis] : [rfsis, peer];
  const plot = gapPlot(
    results.map(({ name, runs }) => ({ name, gapsMs: runs.map(({ gapMs }) => gapMs) })),
    targets.map(({ name, atMost }) => ({ name: `${name} at most ${atMost}`, ms: atMost })),
  );
  try {
    writeFileSync(file, plot);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BenchError('RFSIS_BENCH_FILE', `the plot cannot be written: ${why}`);
  }
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
  };
}
