// Makes a lab with a running program in it, says so, then ends as it is told: wait, throw, exit, or with a handler of
// its own for SIGTERM.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { Lab } from '../../out-tsc/index.mjs';

const [ending] = process.argv.slice(2);
const lab = await Lab.create();
const host = await lab.addHost('client');
const program = host.spawn(['sh', '-c', 'sleep 1000 & echo started; wait']);
await program.waitForLine('started');
await lab.capture(host);
writeFileSync(join(lab.folder, 'note'), '');

if (ending === 'handler') {
  process.once('SIGTERM', () => {
    process.stdout.write(`${JSON.stringify({ event: 'deciding', running: program.running })}\n`);
    lab.close().then(() => process.exit(7));
  });
}
process.stdout.write(`${JSON.stringify({ event: 'made', lab: lab.name, program: program.pid })}\n`);
if (ending === 'throw') throw new Error('a bug');
if (ending === 'exit') process.exit(3);
