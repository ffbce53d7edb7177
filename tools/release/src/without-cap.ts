// What @rfsis/link must do where its optional native module cannot be built: everything but open a real interface, and say so.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lastLines } from './command-runner.js';
import type { Consumer } from './consumer.js';

/** The package this is about. */
export const LINK = '@rfsis/link';

const EXPECTED = 'RFSIS_LINK_NO_CAP';
/** An interface as /sys/class/net shows it, so that none of this machine is needed. */
const INTERFACE = {
  type: '1',
  address: '02:00:00:00:00:01',
  mtu: '1500',
  flags: '0x1003',
  operstate: 'up',
  carrier_changes: '1',
  ifindex: '2',
};

/**
 * Opens a device in a project that was installed without optional dependencies.
 * @param folder of that project
 */
export async function checkWithoutCap(consumer: Consumer, folder: string): Promise<readonly string[]> {
  const sysfs = join(folder, 'sysfs');
  await mkdir(join(sysfs, 'eth0'), { recursive: true });
  for (const [name, value] of Object.entries(INTERFACE)) {
    await writeFile(join(sysfs, 'eth0', name), `${value}\n`);
  }
  const { ok, stdout, output } = await consumer.runProgram('open.js', openProgram(sysfs));
  const [code, ...lines] = stdout.trim().split('\n');
  if (ok && code === EXPECTED && lines.length === 1) return [];
  return [
    `without cap, opening a CapDevice must throw one line with the code ${EXPECTED}, but:\n${lastLines(output)}`,
  ];
}

function openProgram(sysfs: string): string {
  return `import { CapDevice, LinkError, SystemClock } from '${LINK}';
const options = { interfaceName: 'eth0', clock: new SystemClock(), sysfs: ${JSON.stringify(sysfs)} };
const device = new CapDevice(options);
try {
  device.open(() => undefined);
  throw new Error('it was opened');
} catch (error) {
  if (!(error instanceof LinkError)) throw error;
  console.log(error.code + '\\n' + error.message);
}
`;
}
