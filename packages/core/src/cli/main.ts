// Entry point of the rfsis command.
import { rfsis } from './rfsis.js';

// The reader has seen enough: rfsis watch | head
process.stdout.on('error', () => {
  process.exit(0);
});

process.exitCode = await rfsis(process.argv, (text) => {
  process.stdout.write(text);
});
