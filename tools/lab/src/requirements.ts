// What a machine must offer before a lab can run on it, and how to get what is missing.
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { LabError } from './errors.js';

/** The programs that the lab starts, and the Debian packages they come in. */
export const PROGRAM_PACKAGES = {
  ip: 'iproute2',
  nft: 'nftables',
  ethtool: 'ethtool',
  setpriv: 'util-linux',
  flock: 'util-linux',
  tcpdump: 'tcpdump',
  tshark: 'tshark',
  python3: 'python3',
} as const;

/** A program that the lab starts by itself. */
export type LabProgram = keyof typeof PROGRAM_PACKAGES;

/** What one wants to do: build networks and cut them, capture frames, analyse captures, run the Python clients. */
export type LabNeed = 'network' | 'capture' | 'analysis' | 'clients';

const PROGRAMS_OF: Readonly<Record<LabNeed, readonly LabProgram[]>> = {
  network: ['ip', 'nft', 'ethtool', 'setpriv', 'flock'],
  capture: ['tcpdump'],
  analysis: ['tshark'],
  clients: ['python3'],
};

/** Everything the lab can do. */
export const ALL_NEEDS: readonly LabNeed[] = ['network', 'capture', 'analysis', 'clients'];

/** Where Debian keeps programs for administrators; a user's PATH often lacks these folders. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Bits of a capability mask (linux/capability.h). */
const CAPABILITIES = { CAP_NET_ADMIN: 12, CAP_NET_RAW: 13, CAP_SYS_ADMIN: 21 } as const;

/** Whether a lab can run here; if not, one line that says why and what to do. */
export type Availability = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** The facts that {@link judgeAvailability} needs. */
export interface MachineFacts {
  readonly platform: string;
  /** Effective user; 0 is root. */
  readonly user: number;
  /** Effective capabilities as a mask. */
  readonly capabilities: bigint;
  readonly hasProgram: (program: LabProgram) => boolean;
}

/** The decision behind {@link availability}, from given facts. */
export function judgeAvailability(facts: MachineFacts, needs: readonly LabNeed[] = ALL_NEEDS): Availability {
  if (facts.platform !== 'linux') {
    return { ok: false, reason: `network namespaces exist on Linux only, this is ${facts.platform}` };
  }
  if (facts.user !== 0) return { ok: false, reason: 'network namespaces need root: run as root (sudo)' };
  const denied = Object.entries(CAPABILITIES).filter(
    ([, bit]) => ((facts.capabilities >> BigInt(bit)) & 1n) === 0n,
  );
  if (denied.length > 0) {
    const names = denied.map(([name]) => name).join(', ');
    return { ok: false, reason: `root lacks ${names} here: start the container privileged` };
  }
  const missing = needs.flatMap((need) => PROGRAMS_OF[need]).filter((program) => !facts.hasProgram(program));
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((program) => PROGRAM_PACKAGES[program]))].join(' ');
    return { ok: false, reason: `${missing.join(', ')} not found: run apt-get install ${packages}` };
  }
  return { ok: true };
}

/** Whether a lab can run on this machine, for this user. */
export function availability(needs: readonly LabNeed[] = ALL_NEEDS): Availability {
  return judgeAvailability(
    {
      platform: process.platform,
      user: process.geteuid?.() ?? -1,
      capabilities: effectiveCapabilities(),
      hasProgram: (program) => findProgram(program) !== undefined,
    },
    needs,
  );
}

/** @throws {LabError} `RFSIS_LAB_UNAVAILABLE` when {@link availability} says no */
export function requireAvailability(needs: readonly LabNeed[]): void {
  const verdict = availability(needs);
  if (!verdict.ok) throw new LabError('RFSIS_LAB_UNAVAILABLE', verdict.reason);
}

/**
 * The file of a program: in the system's folders first, because version managers put slow scripts into PATH.
 * @returns undefined when there is none
 */
export function findProgram(program: string): string | undefined {
  for (const folder of [...SYSTEM_FOLDERS, ...(process.env['PATH'] ?? '').split(delimiter)]) {
    const file = join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not here; the next folder may have it.
    }
  }
  return undefined;
}

/** The environment for programs in the lab: this process's, with the system's folders in PATH. */
export function labEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const path = (process.env['PATH'] ?? '').split(delimiter);
  const missing = SYSTEM_FOLDERS.filter((folder) => !path.includes(folder));
  return { ...process.env, PATH: [...path, ...missing].join(delimiter), ...extra };
}

function effectiveCapabilities(): bigint {
  try {
    const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return mask === undefined ? 0n : BigInt(`0x${mask}`);
  } catch {
    return 0n;
  }
}
