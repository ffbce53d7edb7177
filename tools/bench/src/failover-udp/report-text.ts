// The report for people: tables on a terminal.
import type { Summary } from '../statistics.js';
import { textTable } from '../text-table.js';
import type { ContenderResult, FailoverRun } from './measurement.js';
import type { FailoverReport } from './report.js';

/** A datagram was sent each millisecond: so long before a power loss some were answered, if all was well. */
const SILENT_BEFORE_MS = 5;

/** The whole text, with a line end behind the last line. */
export function reportText(report: FailoverReport): string {
  const { rfsis, peer, machine } = report;
  const { before, after } = machine.loadAverage;
  const results = peer === null ? [rfsis] : [rfsis, peer];
  return [
    `failover-udp: power loss of the main while a client sends a datagram each millisecond`,
    `${machine.processors} processors, load average ${before} before and ${after} after, Linux ${machine.kernel}, Node.js ${machine.node}`,
    ...results.map(contenderLine),
    '',
    textTable(figureRows(report)),
    ...results.flatMap((result) => ['', ...runLines(result)]),
    '',
    ...report.targets.map(
      ({ name, rfsis: ours, atMost, pass }) =>
        `${pass ? 'PASS' : 'FAIL'}  ${name}: ${decimals(ours)} ms, at most ${atMost} ms`,
    ),
    '',
  ].join('\n');
}

function contenderLine({ name, version, intervalMs, timeoutMs, runs }: ContenderResult): string {
  return `${name} ${version}: beats each ${intervalMs} ms, dead after ${timeoutMs} ms, ${runs.length} failovers`;
}

function figureRows({ figures, rfsis, peer }: FailoverReport): string[][] {
  const parts = ['median', 'p90', 'max', 'min'] as const;
  const cells = (summary: Summary | null): string[] => parts.map((part) => decimals(summary?.[part] ?? null));
  const heading = (name: string): string[] =>
    parts.map((part, index) => (index === 0 ? `${name} ${part}` : part));
  return [
    ['ms', ...heading(rfsis.name), ...(peer === null ? [] : heading(peer.name))],
    ...figures.map((each) => [each.name, ...cells(each.rfsis), ...(peer === null ? [] : cells(each.peer))]),
  ];
}

function runLines(result: ContenderResult): string[] {
  const table = textTable([
    [
      result.name,
      'gap',
      'silence',
      'last sign',
      'announced',
      'sent',
      'answered',
      'ARP asked',
      'logged',
      'detect',
      'install',
      'prober late',
      'busy',
    ],
    ...result.runs.map(runRow),
  ]);
  return [
    ...table
      .split('\n')
      .map((line, index) => (index === 0 ? line : `${line}${remarks(result.runs[index - 1])}`)),
    ...result.failures.map((failure) => `did not take over: ${failure}`),
    ...result.setupFailures.map((failure) => `had to be set up anew: ${failure}`),
  ];
}

function runRow(run: FailoverRun): string[] {
  const times = run.afterPowerLossMs;
  return [
    String(run.number),
    ...[
      run.gapMs,
      run.silenceMs,
      times.lastSign,
      times.announced,
      times.firstAnsweredSent,
      times.firstAnswer,
      times.askedForClient,
      times.logged,
      run.detectMs,
      run.installMs,
      run.proberLateMs,
    ].map(decimals),
    `${Math.round(run.busy * 100)} %`,
  ];
}

function remarks(run: FailoverRun | undefined): string {
  if (run === undefined) return '';
  const found = [
    ...(run.proberLate ? ['the prober was late'] : []),
    ...(run.coversPowerLoss ? [] : ['the longest gap is elsewhere']),
    ...((run.afterPowerLossMs.lastAnsweredSent ?? 0) < -SILENT_BEFORE_MS
      ? ['silent before the power loss']
      : []),
    ...(run.otherGaps > 0 ? [`${run.otherGaps} more gaps`] : []),
    ...(run.wrongAnswers > 0 ? [`${run.wrongAnswers} wrong answers`] : []),
  ];
  return found.length === 0 ? '' : `  ${found.join(', ')}`;
}

function decimals(value: number | null): string {
  return value === null ? '-' : value.toFixed(1);
}
