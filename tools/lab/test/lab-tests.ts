// What the tests of the lab share: skipping where no lab can run, and a look at the network of the machine itself.
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mustRun } from '../src/commands.js';
import { Lab, type LabHost } from '../src/index.js';
import { listNamespaces } from '../src/names.js';

const verdict = Lab.available();

/** Why labs cannot run here; undefined when they can. Tests that need one are reported as skipped. */
export const obstacle = verdict.ok ? undefined : verdict.reason;

/** Where build-programs.ts puts the lab as a program. */
export const programsFolder = join(import.meta.dirname, '../out-tsc');

/** Everything of the machine's own network that a lab could disturb. */
export async function machineNetwork(): Promise<string> {
  const looks = [
    ['ip', '-oneline', 'link', 'show'],
    ['ip', '-oneline', 'address', 'show'],
    ['ip', 'route', 'show', 'table', 'all'],
    ['ip', 'rule', 'show'],
    ['nft', 'list', 'ruleset'],
  ];
  const found = await Promise.all(looks.map(async (look) => mustRun(look)));
  // Remaining lifetimes of addresses and routes count down.
  return found.join('\n').replace(/valid_lft \S+ preferred_lft \S+|expires \S+|age \S+/g, '');
}

/** What is left of a lab: namespaces and folders. */
export function remainsOf(lab: string): string[] {
  const folders = readdirSync(tmpdir()).filter((entry) => entry.startsWith(`rfsis-${lab}-`));
  return [...listNamespaces(lab).map(({ namespace }) => namespace), ...folders];
}

const ASK = `
import socket, sys
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.settimeout(float(sys.argv[2]))
asking.connect((sys.argv[1], 9))
try:
    asking.send(b'anybody there?')
    asking.recv(100)
except ConnectionRefusedError:
    print('yes')
except OSError as error:
    print('no', error)
`;

/**
 * Whether the kernel of a host can talk to an address: ARP and IP, both ways. Sends a datagram to the discard port,
 * where nobody listens, and waits for the ICMP message that says so. It may take a second: kernels
 * repeat an ARP request, and send such messages, that often.
 */
export async function reaches(host: LabHost, address: string, timeoutMs = 4_000): Promise<boolean> {
  const command = ['python3', '-c', ASK, address, String(timeoutMs / 1000)];
  return (await host.exec(command, { check: true })).stdout.startsWith('yes');
}
