// The story as a picture of characters: who served when, and what the client noticed.
import type { ClientReport, NodeName, StageEvent, StoryReport } from './story.js';

const WIDTH = 74;
const LABEL_WIDTH = 9;
const SERVES = '█';
const STANDS_BY = '░';
const JOINS = '·';
const OFF = ' ';
const LOST = '×';

/** Colours for terminals. */
export interface Paint {
  strong(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  faint(text: string): string;
}

export const NO_PAINT: Paint = { strong: same, good: same, bad: same, faint: same };

export const ANSI_PAINT: Paint = {
  strong: (text) => `\u001b[1m${text}\u001b[0m`,
  good: (text) => `\u001b[32m${text}\u001b[0m`,
  bad: (text) => `\u001b[31m${text}\u001b[0m`,
  faint: (text) => `\u001b[2m${text}\u001b[0m`,
};

function same(text: string): string {
  return text;
}

/** One line for an event as it happens. */
export function eventLine(event: StageEvent, paint: Paint): string | undefined {
  if (event.kind !== 'note') return undefined;
  const at = `${(event.atMs / 1000).toFixed(3)} s`.padStart(LABEL_WIDTH);
  const isScene = event.who === '***';
  const text = isScene ? paint.strong(event.text) : event.text;
  return `${paint.faint(at)}  ${event.who.padEnd(6)}  ${text}`;
}

/** The whole story; some lines, each ended. */
export function drawTimeline(report: StoryReport, paint: Paint): string {
  const column = (atMs: number): number =>
    Math.min(
      WIDTH - 1,
      Math.max(0, Math.floor(((atMs - report.startMs) / (report.endMs - report.startMs)) * WIDTH)),
    );
  const rows = (['alpha', 'beta'] as const).map(
    (node) => `${node.padEnd(LABEL_WIDTH)}${nodeRow(node, report.events, column)}`,
  );
  return [
    `${' '.repeat(LABEL_WIDTH)}${paint.faint(ruler(report, column))}`,
    ...rows,
    `${'client'.padEnd(LABEL_WIDTH)}${clientRow(report.client, column, paint)}`,
    '',
    `${' '.repeat(LABEL_WIDTH)}${paint.faint(`${SERVES} serves   ${STANDS_BY} stands by   ${JOINS} joins   ${LOST} power lost   ─ answered   ! not answered`)}`,
    '',
  ].join('\n');
}

/** What the client noticed, in words; some lines, each ended. */
export function summarise({ client }: StoryReport, paint: Paint): string {
  const { sent, answered, corrupted, duplicated, gaps } = client;
  const wrong = corrupted + duplicated;
  const lines = [
    `${sent} datagrams sent, ${answered} answered, ${sent - answered} lost during the changes`,
    wrong === 0
      ? paint.good('no answer was wrong, none came twice')
      : paint.bad(`${corrupted} answers wrong, ${duplicated} doubled`),
    ...gaps.map(
      ({ ms }) => `${ms.toFixed(1)} ms without an answer, then the service went on at the same address`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function ruler(report: StoryReport, column: (atMs: number) => number): string {
  const marks = Array.from({ length: WIDTH }, () => ' ');
  for (let second = Math.ceil(report.startMs / 1000); second * 1000 < report.endMs; second++) {
    const label = `|${second} s`;
    const at = column(second * 1000);
    if (at + label.length <= WIDTH) marks.splice(at, label.length, ...Array.from(label));
  }
  return marks.join('');
}

function nodeRow(node: NodeName, events: readonly StageEvent[], column: (atMs: number) => number): string {
  const signs: Readonly<Record<string, string>> = {
    main: SERVES,
    backup: STANDS_BY,
    joining: JOINS,
    fenced: JOINS,
  };
  const cells = Array.from({ length: WIDTH }, () => OFF);
  for (const event of events) {
    if (event.kind === 'note' || event.node !== node) continue;
    const from = column(event.atMs);
    cells.fill(event.kind === 'off' ? OFF : (signs[event.role] ?? OFF), from);
    if (event.kind === 'off') cells[from] = LOST;
  }
  return cells.join('');
}

function clientRow(client: ClientReport, column: (atMs: number) => number, paint: Paint): string {
  const cells = Array.from({ length: WIDTH }, () => '─');
  for (const { startMs, ms } of client.gaps) {
    for (let at = column(startMs); at <= column(startMs + ms); at++) cells[at] = '!';
  }
  return cells.map((cell) => (cell === '!' ? paint.bad(cell) : paint.good(cell))).join('');
}
