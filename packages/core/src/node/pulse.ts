// The two nodes' signs of life: sends ours, listens for the peer's, and tells the role machine what a beat means.
import {
  BeatCodec,
  HeartbeatSender,
  SessionId,
  type Beat,
  type BeatKind,
  type BeatState,
} from '@rfsis/heartbeat';
import type { TrailerKind } from '@rfsis/arp';
import { MacAddress, type Clock, type LinkDevice, type Random } from '@rfsis/link';
import {
  FixedTimeoutDetector,
  PeerMonitor,
  PhiAccrualDetector,
  type FailureDetector,
  type PeerDeath,
  type PeerStatistics,
  type RejectReason,
} from '@rfsis/sniffer';
import type { Configuration } from '../config/configuration.js';
import type { HeartbeatStatus } from '../control/status.js';
import type { Logger } from '../log.js';
import { PacedDetector } from './paced-detector.js';
import { roundMs } from './milliseconds.js';

/** What our beats say; asked for anew for each. */
export interface PulseState extends Pick<BeatState, 'role' | 'epoch' | 'ready' | 'protected'> {
  /** The kind of the regular beats. */
  readonly kind: BeatKind;
}

/** Options of {@link Pulse}. */
export interface PulseOptions {
  readonly configuration: Configuration;
  /** Opened before any other port, so that a beat is judged before others see the ARP packet it rides on. */
  readonly monitorPort: LinkDevice;
  readonly senderPort: LinkDevice;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly state: () => PulseState;
  /** Asked right before each beat. */
  readonly mayBeat: () => boolean;
  /** A beat has left. */
  readonly onSent: () => void;
  /** An authentic, fresh beat or announcement of the peer. */
  readonly onBeat: (beat: Beat) => void;
  /** An authentic beat that may be an old one. */
  readonly onHello: (beat: Beat) => void;
  readonly onPeerGone: (cause: 'silent' | 'goodbye') => void;
}

/** What a rejected beat most likely means. */
const REJECTED: Readonly<Record<RejectReason, string>> = {
  version: 'heartbeats of a version that this node does not know: upgrade both nodes',
  unsigned: 'heartbeats without a signature: give both nodes the same sync.key',
  'unexpected-mac': 'signed heartbeats, but this node has no sync.key: give both nodes the same',
  unauthentic: 'heartbeats that fail authentication: give both nodes the same sync.key, or look for a forger',
};

export class Pulse {
  readonly #options: PulseOptions;
  readonly #monitor: PeerMonitor;
  readonly #sender: HeartbeatSender;
  #session: SessionId;
  #answeredAtMs = -Infinity;
  #rejectedMac: number | undefined;
  readonly #detector: PacedDetector;
  /** The last interval of the peer that was not ours and was complained about. */
  #oddIntervalMs: number | undefined;

  constructor(options: PulseOptions) {
    const { configuration, clock, senderPort, monitorPort, random } = options;
    const { heartbeat, nodeAddress, peerAddress, serviceAddress } = configuration;
    this.#options = options;
    this.#session = SessionId.random(random);
    const codec = new BeatCodec(configuration.sync.keys);
    const common = { clock, codec, nodeAddress, peerAddress, intervalMs: heartbeat.intervalMs };
    this.#detector = new PacedDetector(
      makeDetector(configuration),
      heartbeat.intervalMs,
      heartbeat.timeoutMs,
    );
    this.#sender = new HeartbeatSender({
      ...common,
      device: senderPort,
      session: this.#session,
      state: () => this.#beatState(),
      guard: options.mayBeat,
      onSent: options.onSent,
    });
    this.#monitor = new PeerMonitor({
      ...common,
      device: monitorPort,
      session: this.#session,
      detector: this.#detector,
      watchAddress: serviceAddress.address,
      handlers: {
        onBeat: (beat, mac) => {
          this.#onBeat(beat, mac);
        },
        onAnnouncement: (beat, _address, mac) => {
          this.#onBeat(beat, mac);
        },
        onHello: (beat, mac) => {
          this.#answer(mac);
          options.onHello(beat);
        },
        onPeerAlive: (_beat, mac) => {
          this.#answer(mac);
        },
        onPeerDead: (death) => {
          this.#onPeerDead(death);
        },
        onRejected: (reason, mac) => {
          this.#onRejected(reason, mac);
        },
      },
    });
  }

  /** The peer's last beat, dead or alive. */
  get peer(): Beat | undefined {
    return this.#monitor.lastBeat;
  }

  get peerAlive(): boolean {
    return this.#monitor.state === 'alive';
  }

  get peerMac(): MacAddress | undefined {
    const { peerMac } = this.#monitor;
    return peerMac === undefined ? undefined : MacAddress.fromNumber(peerMac);
  }

  /** Milliseconds since the peer was last heard; undefined when it never was. */
  get peerAgeMs(): number | undefined {
    return this.#monitor.peerAgeMs;
  }

  /** Whether a beat was made after our current session began. */
  isCurrent(beat: Beat): boolean {
    return beat.echo.equals(this.#session);
  }

  /** Opens the ports. */
  open(): void {
    this.#monitor.open();
    // A flood of frames can keep the event loop from its timers; the beats go on with the frames.
    this.#options.senderPort.open(() => {
      this.#sender.poll();
    });
  }

  /** Begins to beat. */
  start(): void {
    this.#sender.start();
  }

  /** Sends a beat now, by default of the kind that is regular now. */
  beat(kind?: BeatKind): void {
    this.#sender.beatNow(kind ?? this.#options.state().kind);
  }

  /** From here on the peer's answers to what we say now can be told from what it said before. */
  renewSession(): void {
    this.#session = SessionId.random(this.#options.random);
    this.#sender.renewSession(this.#session);
    this.#monitor.renewSession(this.#session);
  }

  /** Says that this node leaves; twice, because once may be lost. */
  goodbye(): void {
    this.#sender.beatNow('goodbye');
    this.#sender.beatNow('goodbye');
  }

  stop(): void {
    this.#sender.stop();
    this.#monitor.close();
  }

  /** For the ARP endpoint: the octets behind an announcement of ours. */
  trailer(body: Uint8Array, kind: TrailerKind): Uint8Array | undefined {
    return this.#sender.trailer(body, kind);
  }

  /** For the ARP endpoint: whether a packet is an authentic and fresh word of the peer. */
  isFromPeer(bytes: Uint8Array, offset: number, end: number): boolean {
    return this.#monitor.trusts(bytes, offset, end);
  }

  /** What the monitor has counted. */
  counters(): PeerStatistics['counters'] {
    return this.#monitor.statistics().counters;
  }

  /** Whether beats from this MAC failed authentication. */
  hasRejectedBeatsFrom(mac: MacAddress): boolean {
    return this.#rejectedMac === mac.value;
  }

  status(): HeartbeatStatus {
    const { intervalMs, timeoutMs, detector } = this.#options.configuration.heartbeat;
    const heard = this.#monitor.statistics();
    const { drops, accepted } = heard.counters;
    return {
      intervalMs,
      timeoutMs,
      detector,
      heard: accepted,
      sent: this.#sender.counters.sent,
      gapMeanMs: roundMs(heard.intervals.meanMs),
      gapStddevMs: roundMs(heard.intervals.stddevMs),
      gapP99Ms: roundMs(heard.intervals.p99Ms),
      gapMaxMs: roundMs(heard.intervals.maxMs),
      marginMs: roundMs(heard.marginMs ?? timeoutMs),
      ownLatenessMaxMs: roundMs(this.#sender.lateness().maxMs),
      forged: drops.unauthentic + drops.unsigned + drops['unexpected-mac'] + drops['over-budget'],
      replayed: drops.replayed,
    };
  }

  #beatState(): BeatState & { kind: BeatKind } {
    return {
      ...this.#options.state(),
      preferred: this.#options.configuration.role === 'main',
      echo: this.#monitor.echo ?? SessionId.NONE,
      progress: 0,
    };
  }

  #onBeat(beat: Beat, mac: number): void {
    // It leaves, and its successor may have another interface card.
    if (beat.kind === 'goodbye') return;
    this.#sender.setPeerMac(mac);
    this.#mindPace(beat);
    if (beat.kind !== 'probe') this.#options.onBeat(beat);
  }

  #mindPace({ intervalMs: peerIntervalMs }: Beat): void {
    const { intervalMs } = this.#options.configuration.heartbeat;
    this.#detector.pace(peerIntervalMs);
    // The interval comes in whole microseconds.
    const isOdd = Math.abs(peerIntervalMs - intervalMs) > 0.001;
    if (isOdd && peerIntervalMs !== this.#oddIntervalMs) {
      this.#options.log.warn(
        { event: 'mismatch', intervalMs, peerIntervalMs },
        `the peer beats each ${peerIntervalMs} ms, this node each ${intervalMs} ms: give both the same heartbeat settings`,
      );
    }
    this.#oddIntervalMs = isOdd ? peerIntervalMs : undefined;
  }

  #onPeerDead(death: PeerDeath): void {
    // A new session is a restarted process, or a main that asks whether it still is one. Its beats tell which.
    if (death.reason === 'restarted') return;
    // The next incarnation may have another interface card.
    this.#sender.setPeerMac(undefined);
    this.#options.onPeerGone(death.reason === 'goodbye' ? 'goodbye' : 'silent');
  }

  /** Somebody waits for our session. At most one answer per interval, so that replays do not make us talk. */
  #answer(mac: number): void {
    const nowMs = this.#options.clock.now();
    if (nowMs - this.#answeredAtMs < this.#options.configuration.heartbeat.intervalMs) return;
    this.#answeredAtMs = nowMs;
    this.#sender.beatNow(this.#options.state().kind, mac);
  }

  #onRejected(reason: RejectReason, mac: number): void {
    this.#rejectedMac = mac;
    const from = MacAddress.fromNumber(mac).toString();
    this.#options.log.warn({ event: 'rejected', reason, mac: from }, `${from} sends ${REJECTED[reason]}`);
  }
}

function makeDetector(configuration: Configuration): FailureDetector {
  const { detector, intervalMs, timeoutMs, phiThreshold } = configuration.heartbeat;
  if (detector === 'fixed') return new FixedTimeoutDetector(timeoutMs);
  // Never sooner than timeoutMs: the main's lease counts on that.
  return new PhiAccrualDetector({
    intervalMs,
    threshold: phiThreshold,
    minTimeoutMs: timeoutMs,
    maxTimeoutMs: 10 * timeoutMs,
  });
}
