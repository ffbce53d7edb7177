// A segment with a monitor on it, and a scripted peer that sends whatever a test wants.
import { ARP_OCTETS, ArpOperation, emitArpFields } from '@rfsis/arp';
import { BEAT_TRAILER_OCTETS, BeatCodec, SessionId, type Beat } from '@rfsis/heartbeat';
import {
  EtherType,
  Ipv4Address,
  MacAddress,
  MemorySwitch,
  VirtualClock,
  emitEthernetHeader,
  type MemoryPort,
} from '@rfsis/link';
import {
  FixedTimeoutDetector,
  PeerMonitor,
  type PeerDeath,
  type PeerMonitorHandlers,
  type PeerMonitorOptions,
} from '../src/index.js';
import { Host } from './host.js';

export const MAIN_MAC = MacAddress.parse('02:5e:10:00:00:01');
export const BACKUP_MAC = MacAddress.parse('02:5e:10:00:00:02');
export const STRANGER_MAC = MacAddress.parse('02:00:00:00:00:99');
export const MAIN_IP = Ipv4Address.parse('10.77.0.11');
export const BACKUP_IP = Ipv4Address.parse('10.77.0.12');
export const SERVICE_IP = Ipv4Address.parse('10.77.0.10');
export const CLIENT_IP = Ipv4Address.parse('10.77.0.100');

export const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
export const OUR_SESSION = SessionId.fromHalves(0x0b0b_0b0b, 0x0b0b_0b0b);
export const PEER_SESSION = SessionId.fromHalves(0x0a0a_0a0a, 0x0a0a_0a0a);

export const INTERVAL_MS = 10;
export const TIMEOUT_MS = 30;

/** One call of a handler. */
export type Told =
  | readonly ['beat' | 'hello' | 'alive', Beat, number]
  | readonly ['announcement', Beat, number, number]
  | readonly ['dead', PeerDeath]
  | readonly ['claim' | 'peer-use', number, number, string, string | undefined]
  | readonly ['rejected', string, number];

export function recorder(told: (entry: Told) => void): PeerMonitorHandlers {
  return {
    onBeat: (beat, mac) => {
      told(['beat', beat, mac]);
    },
    onAnnouncement: (beat, address, mac) => {
      told(['announcement', beat, address, mac]);
    },
    onHello: (beat, mac) => {
      told(['hello', beat, mac]);
    },
    onPeerAlive: (beat, mac) => {
      told(['alive', beat, mac]);
    },
    onPeerDead: (death) => {
      told(['dead', death]);
    },
    onAddressClaim: (mac, address, kind, rejected) => {
      told(['claim', mac, address, kind, rejected]);
    },
    onPeerAddressUse: (mac, address, kind, rejected) => {
      told(['peer-use', mac, address, kind, rejected]);
    },
    onRejected: (reason, mac) => {
      told(['rejected', reason, mac]);
    },
  };
}

/** What a scripted frame differs in from the peer's regular beat. */
export interface FrameOptions extends Partial<Beat> {
  readonly codec?: BeatCodec;
  readonly operation?: number;
  readonly ethernetSource?: MacAddress;
  readonly senderMac?: MacAddress;
  readonly senderIp?: Ipv4Address;
  readonly targetIp?: Ipv4Address;
  /** No trailer, but padding. */
  readonly isPlain?: boolean;
}

/** Our node is the backup; it listens on its port. The peer is the main; a test sends in its name. */
export class Segment {
  readonly time = new VirtualClock();
  readonly network: MemorySwitch;
  readonly codec: BeatCodec;
  readonly host: Host;
  readonly hostPort: MemoryPort;
  readonly peerPort: MemoryPort;
  readonly monitor: PeerMonitor;
  /** Everything the monitor told, with the time. */
  readonly told: { readonly atMs: number; readonly entry: Told }[] = [];
  sequence = 0;

  constructor(options: Partial<PeerMonitorOptions> = {}) {
    this.network = new MemorySwitch({ clock: this.time, latencyMs: 0 });
    this.codec = options.codec ?? new BeatCodec([KEY]);
    this.hostPort = this.network.port({ mac: BACKUP_MAC });
    this.host = new Host(this.time, this.hostPort);
    this.peerPort = this.network.port({ mac: MAIN_MAC });
    this.monitor = new PeerMonitor({
      device: this.host.device,
      clock: this.host.clock,
      codec: this.codec,
      nodeAddress: BACKUP_IP,
      peerAddress: MAIN_IP,
      session: OUR_SESSION,
      detector: new FixedTimeoutDetector(TIMEOUT_MS),
      intervalMs: INTERVAL_MS,
      watchAddress: SERVICE_IP,
      handlers: recorder((entry) => this.told.push({ atMs: this.time.now(), entry })),
      ...options,
    });
    this.monitor.open();
  }

  /** Names of the handlers that were called, in order, since the last call. */
  events(): string[] {
    return this.told.splice(0).map(({ entry }) => entry[0]);
  }

  /** The next beat of the peer, or what a test makes of it. */
  frame(options: FrameOptions = {}): Uint8Array {
    const bytes = new Uint8Array(14 + ARP_OCTETS + BEAT_TRAILER_OCTETS);
    const { kind = 'beat' } = options;
    const isNode = kind !== 'announcement' && kind !== 'probe';
    const senderIp = options.senderIp ?? (isNode ? MAIN_IP : kind === 'probe' ? Ipv4Address.ANY : SERVICE_IP);
    const targetIp = options.targetIp ?? (isNode ? BACKUP_IP : SERVICE_IP);
    const mac = options.senderMac ?? MAIN_MAC;
    emitEthernetHeader(
      bytes,
      0,
      MacAddress.BROADCAST.value,
      (options.ethernetSource ?? mac).value,
      EtherType.arp,
    );
    emitArpFields(
      bytes,
      14,
      options.operation ?? (isNode ? ArpOperation.reply : ArpOperation.request),
      mac.value,
      senderIp.value,
      0,
      targetIp.value,
    );
    if (options.isPlain === true) return bytes.subarray(0, 60);
    (options.codec ?? this.codec).emit(bytes, 14, {
      kind,
      role: options.role ?? 'main',
      preferred: true,
      ready: true,
      protected: true,
      epoch: options.epoch ?? 1,
      session: options.session ?? PEER_SESSION,
      echo: options.echo ?? OUR_SESSION,
      sequence: options.sequence ?? ++this.sequence,
      progress: 0,
      intervalMs: INTERVAL_MS,
    });
    return bytes;
  }

  /** Sends a frame from the peer's port and lets it arrive. */
  send(frame: FrameOptions | Uint8Array = {}): void {
    this.peerPort.send(frame instanceof Uint8Array ? frame : this.frame(frame));
    this.time.advance(0);
  }

  /** The peer beats regularly for some time, and once more at its end. */
  beatFor(durationMs: number): void {
    const untilMs = this.time.now() + durationMs;
    while (this.time.now() < untilMs) {
      this.send();
      this.time.advance(INTERVAL_MS);
    }
    this.send();
  }

  deaths(): { readonly atMs: number; readonly death: PeerDeath }[] {
    return this.told.flatMap(({ atMs, entry }) => (entry[0] === 'dead' ? [{ atMs, death: entry[1] }] : []));
  }
}
