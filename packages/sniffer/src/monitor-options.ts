// What a peer monitor is told and what it tells: seams, limits, handlers, counters.
import type { Beat, BeatCodec, BeatDefect, SessionId } from '@rfsis/heartbeat';
import type { Clock, Ipv4Address, LinkDevice } from '@rfsis/link';
import type { ArrivalSummary } from './arrival-statistics.js';
import type { FailureDetector } from './failure-detector.js';
import type { PeerState } from './liveness.js';
import type { VerificationBudgetOptions } from './verification-budget.js';

/** Why an ARP packet that begins a trailer was not believed. */
export type BeatDropReason =
  | Exclude<BeatDefect, 'not-a-beat'>
  /** Of another pair, or for another node; or its ARP body and its kind do not go together. */
  | 'foreign'
  /** Carries our own session: reflected, or replayed at us. */
  | 'own'
  /** Heard before: an old one played again, doubled by the network, or overtaken by a later one. */
  | 'replayed'
  /** More strangers' beats than are verified in that time. */
  | 'over-budget';

/** All reasons. */
export const BEAT_DROP_REASONS: readonly BeatDropReason[] = [
  'truncated',
  'version',
  'malformed',
  'unsigned',
  'unexpected-mac',
  'unauthentic',
  'foreign',
  'own',
  'replayed',
  'over-budget',
];

/** Reasons that point to a difference between the two nodes' configurations, or to an attack. */
export type RejectReason = 'version' | 'unsigned' | 'unexpected-mac' | 'unauthentic';

/** What kind of ARP packet uses the watched address. */
export type AddressClaimKind =
  /** Sender and target address are the same: a gratuitous ARP. */
  | 'announcement'
  | 'request'
  | 'reply'
  /** Sender address 0, target the watched one (RFC 5227 1.1): somebody would like to have it. */
  | 'probe';

/** How the peer died. */
export interface PeerDeath {
  /**
   * `silence`: nothing was heard for too long. `goodbye`: it said so. `restarted`: a new session of it is alive; either
   * it was started again, and this incarnation is gone with all it knew, or it was away and has renewed its session: its
   * role tells. {@link PeerMonitorHandlers.onPeerAlive} follows.
   */
  readonly reason: 'silence' | 'goodbye' | 'restarted';
  /** Time since the last beat, in milliseconds. */
  readonly silentMs: number;
  /** When that was, in the time of the clock. */
  readonly lastBeatAtMs: number;
  /** Its last beat of a node (no announcement). */
  readonly lastBeat: Beat | undefined;
}

/** What the monitor tells. All are optional; none may throw. MACs are 48-bit numbers, addresses 32-bit ones. */
export interface PeerMonitorHandlers {
  /** An authentic, new beat of the peer, of any kind but `announcement`; `mac` is its sender address in ARP. */
  onBeat?(beat: Beat, mac: number): void;
  /** An authentic, new announcement: the peer claims `claimedAddress` for `mac`. */
  onAnnouncement?(beat: Beat, claimedAddress: number, mac: number): void;
  /**
   * Somebody who has our key, or nobody's, does not know our session yet (or a known peer asks with a `hello`): send it
   * a beat at once, to `mac`. No evidence of life: it may be a replay from before we started. Never called for a
   * `goodbye`.
   */
  onHello?(beat: Beat, mac: number): void;
  /** The first beat of a peer, of a new incarnation, or after its death. Comes before {@link onBeat}. */
  onPeerAlive?(beat: Beat, mac: number): void;
  /** Once per death. After a `goodbye` it comes behind {@link onBeat}. */
  onPeerDead?(death: PeerDeath): void;
  /**
   * An ARP packet that is not authentic uses the watched address, from a MAC that is neither ours nor the living
   * peer's. `rejected` tells why its trailer was not believed; undefined: it had none.
   */
  onAddressClaim?(mac: number, address: number, kind: AddressClaimKind, rejected?: BeatDropReason): void;
  /** The same from the living peer's MAC: what a main's ordinary ARP traffic looks like, or a replayed announcement. */
  onPeerAddressUse?(mac: number, address: number, kind: AddressClaimKind, rejected?: BeatDropReason): void;
  /**
   * Beats that look like the peer's were rejected for a reason that an operator should know; at most once a second per
   * reason. `mac` is not authentic.
   */
  onRejected?(reason: RejectReason, mac: number): void;
}

/** Options of {@link PeerMonitor}. */
export interface PeerMonitorOptions {
  /** A port of its own; the monitor opens and closes it, and never sends. */
  readonly device: LinkDevice;
  readonly clock: Clock;
  readonly codec: BeatCodec;
  readonly nodeAddress: Ipv4Address;
  readonly peerAddress: Ipv4Address;
  /** Our incarnation. */
  readonly session: SessionId;
  readonly detector: FailureDetector;
  readonly handlers: PeerMonitorHandlers;
  /** How often the peer means to beat; sets the defaults below. */
  readonly intervalMs: number;
  /** The service address. */
  readonly watchAddress?: Ipv4Address | undefined;
  /** A timer later than this tells that this node was held up itself; default: the larger of intervalMs and 10. */
  readonly stallLimitMs?: number;
  /** How long after such a stall the peer cannot be declared dead; default 2 x intervalMs, at least 10. */
  readonly graceMs?: number;
  readonly budget?: VerificationBudgetOptions;
}

/** Frames by what they were. Each frame is counted in `frames` and in one of the others. */
export interface MonitorCounters {
  frames: number;
  /** No ARP: not looked at. */
  notArp: number;
  /** No readable Ethernet header or ARP body, or ARP for other media. */
  malformed: number;
  /** ARP in a VLAN that is not ours. */
  vlan: number;
  /** Our own transmissions, come back. */
  looped: number;
  /** ARP without a trailer from the peer's MAC. */
  peerArp: number;
  /** ARP without a trailer from others. */
  otherArp: number;
  /** Authentic, new beats of the current session, of every kind. */
  accepted: number;
  /** Authentic beats of a session that is not proven to live now. */
  hellos: number;
  /** Not believed. */
  drops: Record<BeatDropReason, number>;
}

/** What {@link PeerMonitor.statistics} gives. */
export interface PeerStatistics extends ArrivalSummary {
  readonly state: PeerState;
  /** Time since the last beat or announcement; undefined when there was none. */
  readonly peerAgeMs: number | undefined;
  readonly peerMac: number | undefined;
  readonly peerSession: SessionId | undefined;
  /** Accepted beats that were announcements; all are in `counters.accepted`. */
  readonly announcements: number;
  /** Beats and announcements of the peer that never came, by gaps in the sequence. */
  readonly lost: number;
  /** Incarnations of the peer so far. */
  readonly sessions: number;
  readonly deaths: Readonly<Record<PeerDeath['reason'], number>>;
  /** ARP packets that used the watched address without being authentic, from others than the living peer. */
  readonly claims: number;
  readonly counters: Readonly<MonitorCounters>;
}
