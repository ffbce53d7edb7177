// Reads from a capture at the switch what a failover looked like on the wire.
import { frames, STANDARD_ADDRESSES } from '@rfsis/tool-lab';

/** What a failover consists of on the wire; everything else is `other`. */
export type SignKind = 'beat' | 'advertisement' | 'announcement' | 'question' | 'answer' | 'other';

/** One frame. */
export interface Sign {
  /** Wall clock, in milliseconds. */
  readonly wallMs: number;
  /** Ethernet source. */
  readonly mac: string;
  readonly kind: SignKind;
}

/** Who took part in a failover, and when it was. */
export interface Failover {
  readonly deadMac: string;
  readonly heirMac: string;
  readonly clientMac: string;
  /** Wall clock, in milliseconds: programs stopped, cable pulled from here on. */
  readonly powerLossMs: number;
  /** Wall clock, in milliseconds: nothing more came from the dead host. */
  readonly cutOffMs: number;
}

/** In milliseconds after the power loss; null: not seen. */
export interface WireTimes {
  readonly lastSign: number | null;
  readonly announced: number | null;
  readonly askedForClient: number | null;
  readonly toldClient: number | null;
}

/** What to capture, for tcpdump: ARP and VRRP. The datagrams themselves are the prober's concern. */
export const CAPTURE_FILTER = 'arp or ip proto 112';

/** Signs of life older than this belong to something else. */
const LOOK_BACK_MS = 1_000;
const LOOK_AHEAD_MS = 1_000;

const FIELDS = [
  'frame.time_epoch',
  'eth.src',
  'ip.proto',
  'arp.opcode',
  'arp.src.proto_ipv4',
  'arp.dst.proto_ipv4',
] as const;

type Row = Readonly<Record<(typeof FIELDS)[number], string>>;

const VRRP = '112';
const ARP_REQUEST = '1';
const NODES: readonly string[] = [STANDARD_ADDRESSES.alpha, STANDARD_ADDRESSES.beta];

/** The frames of a capture file that tell of a failover, in order. */
export async function readSigns(file: string): Promise<Sign[]> {
  const rows = await frames(file, '', FIELDS);
  return rows.map(signOf).filter(({ kind }) => kind !== 'other');
}

/** What one row of tshark's output is. */
export function signOf(row: Row): Sign {
  return { wallMs: Number(row['frame.time_epoch']) * 1000, mac: row['eth.src'], kind: kindOf(row) };
}

function kindOf(row: Row): SignKind {
  if (row['ip.proto'] === VRRP) return 'advertisement';
  const { service, client } = STANDARD_ADDRESSES;
  const sender = row['arp.src.proto_ipv4'];
  const target = row['arp.dst.proto_ipv4'];
  const isRequest = row['arp.opcode'] === ARP_REQUEST;
  if (sender === service && target === service) return 'announcement';
  // A kernel asks with whichever of its addresses it likes.
  if (isRequest && target === client) return 'question';
  if (isRequest) return 'other';
  if (sender === client) return 'answer';
  return NODES.includes(sender) && NODES.includes(target) ? 'beat' : 'other';
}

/** When the steps of a failover passed the switch. */
export function wireTimes(signs: readonly Sign[], failover: Failover): WireTimes {
  const { deadMac, heirMac, clientMac, powerLossMs, cutOffMs } = failover;
  const near = signs.filter(
    ({ wallMs }) => wallMs > powerLossMs - LOOK_BACK_MS && wallMs < powerLossMs + LOOK_AHEAD_MS,
  );
  const from = (mac: string, ...kinds: readonly SignKind[]): number[] =>
    near.filter((each) => each.mac === mac && kinds.includes(each.kind)).map(({ wallMs }) => wallMs);
  const after = (times: readonly number[], momentMs: number): number | undefined =>
    times.find((each) => each >= momentMs);
  const relative = (moment: number | undefined): number | null =>
    moment === undefined ? null : moment - powerLossMs;

  const announced = after(from(heirMac, 'announcement'), powerLossMs);
  const asked = announced === undefined ? undefined : after(from(heirMac, 'question'), announced);
  const told = asked === undefined ? undefined : after(from(clientMac, 'answer'), asked);
  return {
    // Not later ones: soon the host has its power back and joins as backup.
    lastSign: relative(from(deadMac, 'beat', 'advertisement').findLast((each) => each <= cutOffMs)),
    announced: relative(announced),
    askedForClient: relative(asked),
    toldClient: relative(told),
  };
}
