// npm run demo: a UDP service survives the death of its server, on a timeline.
import { Lab, LabError } from '@rfsis/tool-lab';
import { Command } from 'commander';
import { LabStage } from './lab-stage.js';
import { MemoryStage } from './memory-stage.js';
import { play, type StageListener } from './story.js';
import { ANSI_PAINT, drawTimeline, eventLine, NO_PAINT, summarise } from './timeline.js';

const EXIT_FAILED = 1;

const command = new Command('demo')
  .description(
    'Shows a UDP service surviving the death of its server: a power loss, the way back, a handover.',
  )
  .option('--memory', 'in memory and virtual time, also where network namespaces could be made')
  .addHelpText(
    'after',
    '\nAs root on Linux everything happens in network namespaces that the demo makes and removes.',
  );

const { memory } = command.parse().opts<{ memory?: boolean }>();
const verdict = Lab.available(['network', 'clients']);
const paint = process.stdout.isTTY ? ANSI_PAINT : NO_PAINT;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function open(listener: StageListener): Promise<LabStage | MemoryStage> {
  if (memory === true || !verdict.ok) return Promise.resolve(new MemoryStage(listener));
  return LabStage.create(listener);
}

print(paint.strong('RFSIS: a server address survives the death of the server\n'));
if (!verdict.ok && memory !== true) print(`not for real here, in memory instead: ${verdict.reason}`);
try {
  const report = await play(
    open,
    (event) => {
      const line = eventLine(event, paint);
      if (line !== undefined) print(line);
    },
    (description) => {
      print(`stage: ${description}\n`);
    },
  );
  print('');
  print(drawTimeline(report, paint));
  print(summarise(report, paint));
  const { corrupted, duplicated, answered } = report.client;
  if (corrupted + duplicated > 0 || answered === 0) process.exitCode = EXIT_FAILED;
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  process.stderr.write(`demo: ${error.message}\n`);
  process.exitCode = EXIT_FAILED;
}
