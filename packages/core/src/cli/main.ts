// Entry point of the rfsis command.
import { rfsis } from './rfsis.js';

process.exitCode = await rfsis(process.argv, (text) => {
  process.stdout.write(text);
});
