// Reads capture files with tshark: fields of chosen frames, whole frames, and everything that is wrong with them.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mustRun } from './commands.js';
import { LabError } from './errors.js';

const ANALYSIS_TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 512 * 1024 * 1024;

/** Checksums are validated, and what follows a short packet is padding or a trailer, never a frame check sequence. */
const PREFERENCES = [
  'ip.check_checksum:TRUE',
  'udp.check_checksum:TRUE',
  'tcp.check_checksum:TRUE',
  'eth.fcs:Never',
].flatMap((each) => ['-o', each]);

const CHECKSUM_FIELDS = [
  'ip.checksum.status',
  'udp.checksum.status',
  'tcp.checksum.status',
  'icmp.checksum.status',
] as const;
const JUDGED_FIELDS = [
  'frame.number',
  'frame.protocols',
  '_ws.malformed',
  '_ws.expert.severity',
  '_ws.expert.message',
] as const;
/** `expert.severity.error` in Wireshark's epan/proto.h */
const SEVERITY_ERROR = 0x00800000;

/** Something wrong with a frame. */
export interface Finding {
  /** The number of the frame in the file, from 1. */
  readonly frame: number;
  readonly kind: 'malformed' | 'checksum' | 'error';
  /** The layers that tshark saw, such as `eth:ethertype:ip:udp:data`. */
  readonly protocols: string;
  /** Which checksum, or what the expert says. */
  readonly detail: string;
}

/** The result of {@link analyse}. */
export interface Analysis {
  readonly frames: number;
  readonly findings: readonly Finding[];
}

/**
 * Fields of the frames that a display filter chooses, in Wireshark's language, such as `arp.opcode == 2` and
 * `['frame.time_epoch', 'arp.src.proto_ipv4']`. A field that a frame lacks is '', one that it has several times is
 * joined by commas.
 */
export async function frames<Field extends string>(
  file: string,
  displayFilter: string,
  fields: readonly Field[],
): Promise<Record<Field, string>[]> {
  const output = await tshark([
    ...['-r', file, '-T', 'fields', '-E', 'separator=/t', '-E', 'aggregator=,'],
    ...(displayFilter === '' ? [] : ['-Y', displayFilter]),
    ...fields.flatMap((field) => ['-e', field]),
  ]);
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const values = line.split('\t');
      return Object.fromEntries(fields.map((field, index) => [field, values[index] ?? ''])) as Record<
        Field,
        string
      >;
    });
}

/** The chosen frames as they were on the wire. */
export async function rawFrames(file: string, displayFilter = ''): Promise<Uint8Array[]> {
  const folder = await mkdtemp(join(tmpdir(), 'rfsis-frames-'));
  try {
    const chosen = join(folder, 'chosen.pcap');
    const filter = displayFilter === '' ? [] : ['-Y', displayFilter];
    await tshark(['-r', file, ...filter, '-F', 'pcap', '-w', chosen]);
    return splitPcap(await readFile(chosen));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Finds malformed frames, bad IP, UDP, TCP and ICMP checksums, and what tshark's expert calls an error. Kernels leave
 * checksums to an interface that offloads them: capture with `offloads: false`, or exclude their frames by a filter.
 * @param displayFilter the frames to judge; default all
 */
export async function analyse(file: string, displayFilter = ''): Promise<Analysis> {
  const rows = await frames(file, displayFilter, [...JUDGED_FIELDS, ...CHECKSUM_FIELDS]);
  const findings = rows.flatMap((row): Finding[] => {
    const common = { frame: Number(row['frame.number']), protocols: row['frame.protocols'] };
    const found: Finding[] = [];
    const layers = row['frame.protocols'].split(':');
    if (row['_ws.malformed'] !== '' || layers.includes('_ws.malformed')) {
      found.push({ ...common, kind: 'malformed', detail: row['_ws.expert.message'] });
    } else if (row['_ws.expert.severity'].split(',').some(isError)) {
      found.push({ ...common, kind: 'error', detail: row['_ws.expert.message'] });
    }
    for (const field of CHECKSUM_FIELDS) {
      if (row[field].split(',').some(isBad)) found.push({ ...common, kind: 'checksum', detail: field });
    }
    return found;
  });
  return { frames: rows.length, findings };
}

/** Newer versions of tshark print names for values. */
function isBad(status: string): boolean {
  return status === '0' || status === 'Bad';
}

function isError(severity: string): boolean {
  return severity === String(SEVERITY_ERROR) || severity === 'Error';
}

async function tshark(args: readonly string[]): Promise<string> {
  return mustRun(['tshark', '-n', ...PREFERENCES, ...args], {
    timeoutMs: ANALYSIS_TIMEOUT_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  });
}

const PCAP_HEADER_OCTETS = 24;
const PCAP_RECORD_OCTETS = 16;
const PCAP_MAGICS: readonly number[] = [0xa1b2c3d4, 0xa1b23c4d];

/** The frames of a file in the classic pcap format, written on this machine or one of the same byte order. */
export function splitPcap(bytes: Buffer): Uint8Array[] {
  const little = bytes.length >= PCAP_HEADER_OCTETS && PCAP_MAGICS.includes(bytes.readUInt32LE(0));
  if (!little && !(bytes.length >= PCAP_HEADER_OCTETS && PCAP_MAGICS.includes(bytes.readUInt32BE(0)))) {
    throw new LabError('RFSIS_LAB_OUTPUT_INVALID', 'this is no pcap file');
  }
  const found: Uint8Array[] = [];
  let offset = PCAP_HEADER_OCTETS;
  while (offset + PCAP_RECORD_OCTETS <= bytes.length) {
    const length = little ? bytes.readUInt32LE(offset + 8) : bytes.readUInt32BE(offset + 8);
    const start = offset + PCAP_RECORD_OCTETS;
    if (start + length > bytes.length) break; // The last frame was cut off.
    found.push(new Uint8Array(bytes.subarray(start, start + length)));
    offset = start + length;
  }
  return found;
}
