// Listens to all ARP of the segment, believes the peer's beats, and tells when the peer lives and when it is dead.
import { ARP_OCTETS, ArpOperation, ArpView } from '@rfsis/arp';
import { BeatView, hasBeatMagic, type Beat, type BeatDefect, type SessionId } from '@rfsis/heartbeat';
import { ETHERNET_HEADER_OCTETS, EtherType, EthernetView, readU16, type FrameBatch } from '@rfsis/link';
import { HandledTrailers } from './handled-trailers.js';
import { requirePositive } from './option-checks.js';
import { Liveness, type PeerState, type Silence } from './liveness.js';
import {
  BEAT_DROP_REASONS,
  type AddressClaimKind,
  type BeatDropReason,
  type MonitorCounters,
  type PeerDeath,
  type PeerMonitorHandlers,
  type PeerMonitorOptions,
  type PeerStatistics,
  type RejectReason,
} from './monitor-options.js';
import { PeerSessions, type SessionJudgement } from './peer-sessions.js';
import { VerificationBudget } from './verification-budget.js';

/** Least time between two calls of `onRejected` with one reason. */
const REJECT_REPORT_MS = 1000;
/** Of the EtherType within an untagged frame. */
const TYPE_OFFSET = 12;
const MIN_GRACE_MS = 10;
const MIN_STALL_LIMIT_MS = 10;
const INVALID = 'RFSIS_SNIFFER_OPTION_INVALID';

function newCounters(): MonitorCounters {
  return {
    frames: 0,
    notArp: 0,
    malformed: 0,
    vlan: 0,
    looped: 0,
    peerArp: 0,
    otherArp: 0,
    accepted: 0,
    hellos: 0,
    drops: Object.fromEntries(BEAT_DROP_REASONS.map((reason) => [reason, 0])) as Record<
      BeatDropReason,
      number
    >,
  };
}

/**
 * Watches one peer. Costs others' frames a few comparisons and allocates nothing for them. Never throws on a frame.
 */
export class PeerMonitor {
  readonly #options: PeerMonitorOptions;
  readonly #liveness: Liveness;
  readonly #sessions: PeerSessions;
  readonly #budget: VerificationBudget;
  readonly #ownMac: number;
  readonly #nodeIp: number;
  readonly #peerIp: number;
  /** -1: none; no address is negative. */
  readonly #watchIp: number;
  readonly #counters = newCounters();
  readonly #ethernet = new EthernetView();
  readonly #arp = new ArpView();
  readonly #view = new BeatView();
  readonly #trustView = new BeatView();
  readonly #rejectedAtMs = new Map<RejectReason, number>();
  /** None once closed. */
  #handlers: PeerMonitorHandlers;
  #mac: number | undefined;
  #echo: SessionId | undefined;
  #lastBeat: Beat | undefined;
  #announcements = 0;
  #lost = 0;
  #sessionCount = 0;
  #claims = 0;
  readonly #deaths = { silence: 0, goodbye: 0, restarted: 0 };
  /** For {@link PeerMonitor.trusts}. */
  readonly #handled = new HandledTrailers();

  /** @throws {SnifferError} `RFSIS_SNIFFER_OPTION_INVALID` */
  constructor(options: PeerMonitorOptions) {
    const intervalMs = requirePositive(INVALID, 'intervalMs', options.intervalMs);
    this.#options = options;
    this.#handlers = options.handlers;
    this.#ownMac = options.device.mac.value;
    this.#nodeIp = options.nodeAddress.value;
    this.#peerIp = options.peerAddress.value;
    this.#watchIp = options.watchAddress?.value ?? -1;
    this.#sessions = new PeerSessions(options.session);
    this.#budget = new VerificationBudget(options.budget);
    const stallLimitMs = options.stallLimitMs ?? Math.max(intervalMs, MIN_STALL_LIMIT_MS);
    const graceMs = options.graceMs ?? Math.max(2 * intervalMs, MIN_GRACE_MS);
    this.#liveness = new Liveness({
      clock: options.clock,
      detector: options.detector,
      stallLimitMs: requirePositive(INVALID, 'stallLimitMs', stallLimitMs),
      graceMs: requirePositive(INVALID, 'graceMs', graceMs),
      carrier: () => options.device.up,
      activity: () => this.#counters.frames,
      onSilence: (silence) => {
        this.#dead('silence', silence);
      },
    });
  }

  /**
   * Opens the device and begins to listen. Open it before the port of a stack that asks {@link PeerMonitor.trusts}.
   * @throws {LinkError} when the device cannot be opened
   */
  open(): void {
    const { device, clock } = this.#options;
    device.open(
      (batch) => {
        this.#onFrames(batch);
      },
      (up) => {
        if (up) this.#liveness.carrierBack(clock.now());
      },
    );
  }

  /** Stops listening, for good; no handler is called any more. */
  close(): void {
    this.#handlers = {};
    this.#liveness.close();
    this.#options.device.close();
  }

  /** Our incarnation has changed: new sessions of the peer must echo this one. */
  renewSession(session: SessionId): void {
    this.#sessions.renew(session);
  }

  get state(): PeerState {
    return this.#liveness.state;
  }

  /** The peer's MAC as its last beat gave it; stays after its death. */
  get peerMac(): number | undefined {
    return this.#mac;
  }

  /** The peer's last beat of a node (no announcement); stays after its death. */
  get lastBeat(): Beat | undefined {
    return this.#lastBeat;
  }

  /** The session of the peer's current incarnation; undefined before it was proven. */
  get peerSession(): SessionId | undefined {
    return this.#sessions.current;
  }

  /** What our beats are to echo: the session that was heard last, proven or not; undefined when none was. */
  get echo(): SessionId | undefined {
    return this.#echo;
  }

  /** Time since the peer was last heard; undefined when it never was. */
  get peerAgeMs(): number | undefined {
    const { lastHeardMs } = this.#liveness;
    return lastHeardMs === Number.NEGATIVE_INFINITY ? undefined : this.#options.clock.now() - lastHeardMs;
  }

  /** When the peer will be declared dead if nothing more is heard, in the time of the clock; `Infinity` unless alive. */
  get deadlineMs(): number {
    return this.#liveness.deadlineMs;
  }

  /** A copy of all figures. */
  statistics(): PeerStatistics {
    return {
      ...this.#liveness.statistics.snapshot(),
      state: this.state,
      peerAgeMs: this.peerAgeMs,
      peerMac: this.#mac,
      peerSession: this.peerSession,
      announcements: this.#announcements,
      lost: this.#lost,
      sessions: this.#sessionCount,
      deaths: { ...this.#deaths },
      claims: this.#claims,
      counters: { ...this.#counters, drops: { ...this.#counters.drops } },
    };
  }

  /** Begins the figures on arrivals anew (intervals, margin, stalls). Counters only ever rise and stay. */
  resetStatistics(): void {
    this.#liveness.statistics.reset();
  }

  /**
   * Whether an ARP packet is an authentic word of the peer: for the ARP endpoint, which must not fight the peer as it
   * fights strangers. Works on the packets of the batch that the monitor has handled just before (the last 64 with a
   * trailer) and on those that it has yet to see. A replayed one is not trusted.
   * @param offset first octet of the ARP body
   * @param end first octet after the frame
   */
  readonly trusts = (bytes: Uint8Array, offset: number, end: number): boolean => {
    const view = this.#trustView;
    const trailerOffset = offset + ARP_OCTETS;
    if (view.read(bytes, trailerOffset, end) !== undefined) return false;
    const wasTrusted = this.#handled.isTrusted(view);
    const judgement = this.#sessions.judge(view);
    if (!(wasTrusted ?? (judgement !== 'own' && judgement !== 'replayed'))) return false;
    if (this.#options.codec.verify(bytes, offset, trailerOffset) !== undefined) return false;
    return (
      wasTrusted === true || judgement === 'current' || view.kind === 'probe' || this.#sessions.isProven(view)
    );
  };

  #onFrames(batch: FrameBatch): void {
    const { bytes, count } = batch;
    this.#handled.clear();
    for (let index = 0; index < count; index++) {
      this.#onFrame(bytes, batch.offset(index), batch.length(index));
    }
  }

  #onFrame(bytes: Uint8Array, offset: number, length: number): void {
    const counters = this.#counters;
    const ethernet = this.#ethernet;
    counters.frames++;
    // Nearly every frame of a busy node ends here.
    const type = length < ETHERNET_HEADER_OCTETS ? EtherType.arp : readU16(bytes, offset + TYPE_OFFSET);
    if (type !== EtherType.arp && type !== EtherType.vlan && type !== EtherType.serviceVlan) {
      counters.notArp++;
      return;
    }
    if (ethernet.read(bytes, offset, length) !== undefined) {
      counters.malformed++;
      return;
    }
    if (ethernet.etherType !== EtherType.arp) {
      counters.notArp++;
      return;
    }
    if (ethernet.vlanId !== 0) {
      counters.vlan++;
      return;
    }
    const end = offset + length;
    const source = ethernet.source;
    if (this.#arp.read(bytes, ethernet.payloadOffset, end) !== undefined) counters.malformed++;
    else if (source === this.#ownMac) counters.looped++;
    else if (hasBeatMagic(bytes, this.#arp.trailerOffset, end)) {
      this.#onTrailer(bytes, ethernet.payloadOffset, end, source);
    } else this.#onPlainArp();
  }

  #onPlainArp(): void {
    if (this.#arp.senderMac === this.#mac) this.#counters.peerArp++;
    else this.#counters.otherArp++;
    this.#reportAddressUse(undefined);
  }

  /** Cheap checks first: the hash is worth computing only for what may be the peer's and new. */
  #onTrailer(bytes: Uint8Array, bodyOffset: number, end: number, source: number): void {
    const view = this.#view;
    const trailerOffset = this.#arp.trailerOffset;
    const defect = view.read(bytes, trailerOffset, end);
    if (defect !== undefined) {
      this.#drop(this.#isAddressed() ? defect : 'foreign');
      return;
    }
    this.#handled.add(view);
    const judgement = this.#sessions.judge(view);
    if (!this.#isFromPeer(judgement)) this.#drop('foreign');
    else if (judgement === 'own' || judgement === 'replayed') this.#drop(judgement);
    else if (!this.#mayVerify(judgement, source)) this.#drop('over-budget');
    else {
      const refusal = this.#options.codec.verify(bytes, bodyOffset, trailerOffset);
      if (refusal !== undefined) this.#drop(refusal);
      else if (judgement === 'current' || this.#sessions.isProven(view)) this.#accept(judgement);
      else this.#hello();
    }
  }

  /** Whether the ARP body alone could be the peer's: from it to us, or about the watched address. */
  #isAddressed(): boolean {
    const { senderIp, targetIp } = this.#arp;
    return (
      (senderIp === this.#peerIp && targetIp === this.#nodeIp) ||
      senderIp === this.#watchIp ||
      (senderIp === 0 && targetIp === this.#watchIp)
    );
  }

  /** Whether ARP body and kind of the beat go together, and belong to this pair. */
  #isFromPeer(judgement: SessionJudgement): boolean {
    const { senderIp, targetIp } = this.#arp;
    switch (this.#view.kind) {
      case 'announcement':
        return senderIp === targetIp && (targetIp === this.#watchIp || judgement === 'current');
      case 'probe':
        return senderIp === 0 && (targetIp === this.#watchIp || judgement === 'current');
      default:
        return senderIp === this.#peerIp && targetIp === this.#nodeIp;
    }
  }

  /** What looks like the peer's next beat is always verified; everything else within a budget. */
  #mayVerify(judgement: SessionJudgement, source: number): boolean {
    if (!this.#options.codec.authenticated) return true;
    if (judgement === 'current' && source === this.#mac) return true;
    return this.#budget.take(this.#options.clock.now());
  }

  #accept(judgement: SessionJudgement): void {
    const { clock } = this.#options;
    const liveness = this.#liveness;
    const nowMs = clock.now();
    const beat = this.#view.toBeat();
    const mac = this.#arp.senderMac;
    const claimedAddress = this.#arp.senderIp;
    this.#counters.accepted++;
    this.#handled.trustLast();
    this.#echo = beat.session;
    if (judgement === 'current') this.#lost += this.#sessions.advance(beat.sequence);
    else this.#establish(beat);

    const wasAlive = liveness.state === 'alive';
    if (wasAlive) liveness.heard(nowMs);
    else if (beat.kind !== 'goodbye') liveness.revive(nowMs);
    if (beat.kind === 'announcement') this.#announcements++;
    else if (beat.kind !== 'probe') {
      this.#lastBeat = beat;
      this.#mac = mac;
    }
    if (!wasAlive && beat.kind !== 'goodbye') this.#handlers.onPeerAlive?.(beat, mac);
    if (beat.kind === 'announcement') this.#handlers.onAnnouncement?.(beat, claimedAddress, mac);
    else this.#handlers.onBeat?.(beat, mac);
    if (beat.kind === 'hello') this.#handlers.onHello?.(beat, mac);
    if (beat.kind === 'goodbye') {
      liveness.end();
      if (wasAlive) this.#dead('goodbye', { silentMs: 0, lastBeatAtMs: nowMs });
    }
  }

  /** A new incarnation has proven that it lives; the one before is dead, however short ago it was heard. */
  #establish(beat: Beat): void {
    const { state, lastHeardMs } = this.#liveness;
    this.#sessions.establish(beat.session, beat.sequence);
    this.#sessionCount++;
    if (state !== 'alive') return;
    this.#liveness.end();
    this.#dead('restarted', {
      silentMs: this.#options.clock.now() - lastHeardMs,
      lastBeatAtMs: lastHeardMs,
    });
  }

  #hello(): void {
    this.#counters.hellos++;
    const beat = this.#view.toBeat();
    this.#echo = beat.session;
    // A probe for the address is no claim yet; whoever has our key may ask.
    if (beat.kind === 'probe') this.#handled.trustLast();
    if (beat.kind !== 'goodbye') this.#handlers.onHello?.(beat, this.#arp.senderMac);
  }

  #drop(reason: BeatDefect | BeatDropReason): void {
    // 'not-a-beat' cannot occur: the magic number was there.
    const counted = reason === 'not-a-beat' ? 'malformed' : reason;
    this.#counters.drops[counted]++;
    switch (counted) {
      case 'version':
      case 'unsigned':
      case 'unexpected-mac':
      case 'unauthentic':
        this.#reportRejected(counted);
        break;
      default:
    }
    this.#reportAddressUse(counted);
  }

  #reportRejected(reason: RejectReason): void {
    const nowMs = this.#options.clock.now();
    const reportedAtMs = this.#rejectedAtMs.get(reason);
    if (reportedAtMs !== undefined && nowMs - reportedAtMs < REJECT_REPORT_MS) return;
    this.#rejectedAtMs.set(reason, nowMs);
    this.#handlers.onRejected?.(reason, this.#arp.senderMac);
  }

  #reportAddressUse(rejected: BeatDropReason | undefined): void {
    const kind = this.#addressUse();
    const mac = this.#arp.senderMac;
    if (kind === undefined || mac === this.#ownMac) return;
    if (mac === this.#mac && this.#liveness.state === 'alive') {
      this.#handlers.onPeerAddressUse?.(mac, this.#watchIp, kind, rejected);
      return;
    }
    this.#claims++;
    this.#handlers.onAddressClaim?.(mac, this.#watchIp, kind, rejected);
  }

  #addressUse(): AddressClaimKind | undefined {
    const { operation, senderIp, targetIp } = this.#arp;
    // RFC 5227 1.1: an ARP Probe has an all-zero sender address and asks for the address it wants.
    if (senderIp === 0 && targetIp === this.#watchIp) return 'probe';
    if (senderIp !== this.#watchIp) return undefined;
    if (senderIp === targetIp) return 'announcement';
    return operation === ArpOperation.reply ? 'reply' : 'request';
  }

  #dead(reason: PeerDeath['reason'], { silentMs, lastBeatAtMs }: Omit<Silence, 'deadlineMs'>): void {
    this.#deaths[reason]++;
    this.#handlers.onPeerDead?.({ reason, silentMs, lastBeatAtMs, lastBeat: this.#lastBeat });
  }
}
