// A live view of one node: redrawn on a terminal, one line per change elsewhere.
import { SystemClock } from '@rfsis/link';
import type { ControlClient } from '../control/control-client.js';
import type { NodeStatus } from '../control/status.js';
import { RfsisError } from '../errors.js';
import { renderStatus } from './render-status.js';

const CLEAR_SCREEN = '\u001b[2J\u001b[H';

/** Shows the status each `intervalMs` until the process is interrupted; a node that goes and comes back is waited for. */
export async function watch(
  client: ControlClient,
  intervalMs: number,
  print: (text: string) => void,
): Promise<never> {
  const clock = new SystemClock();
  const beganAtMs = clock.now();
  let before = '';
  for (;;) {
    const text = await look(client);
    if (process.stdout.isTTY) print(`${CLEAR_SCREEN}${text}`);
    else if (summary(text) !== before)
      print(`+${((clock.now() - beganAtMs) / 1000).toFixed(1)} s ${summary(text)}\n`);
    before = summary(text);
    await new Promise<void>((resolve) => clock.setTimer(intervalMs, resolve));
  }
}

async function look(client: ControlClient): Promise<string> {
  try {
    const status: NodeStatus = await client.status();
    return renderStatus(status);
  } catch (error) {
    if (error instanceof RfsisError) return `${error.message}\n`;
    throw error;
  }
}

/** What counts as a change: everything but the figures that always move. */
function summary(text: string): string {
  const lines = text.split('\n');
  const role = lines.find((line) => line.startsWith('role'))?.slice(13) ?? lines[0] ?? '';
  const peer =
    lines
      .find((line) => line.startsWith('peer'))
      ?.slice(13)
      .replace(/, heard.*/, '') ?? '';
  return `${role}; peer ${peer}`;
}
