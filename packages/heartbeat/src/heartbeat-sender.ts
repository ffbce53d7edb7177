// Sends the beats of one node: on a grid in time, and at once when something has happened.
import { ARP_OCTETS, ArpOperation, emitArpFields, type ArpTrailer } from '@rfsis/arp';
import {
  ETHERNET_HEADER_OCTETS,
  EtherType,
  MacAddress,
  emitEthernetHeader,
  type Clock,
  type Ipv4Address,
  type LinkDevice,
  type Timer,
} from '@rfsis/link';
import type { Beat, BeatKind, BeatState } from './beat.js';
import type { BeatCodec } from './beat-codec.js';
import { BEAT_TRAILER_OCTETS } from './beat-view.js';
import { DurationStatistics, type DurationSummary } from './duration-statistics.js';
import { HeartbeatError } from './errors.js';
import type { SessionId } from './session-id.js';

/** Octets of a whole beat frame, Ethernet header included. */
export const BEAT_FRAME_OCTETS = ETHERNET_HEADER_OCTETS + ARP_OCTETS + BEAT_TRAILER_OCTETS;
/** Shortest interval between beats, in milliseconds: what timers of the event loop can keep. */
export const MIN_INTERVAL_MS = 1;
/** Longest interval between beats, in milliseconds. */
export const MAX_INTERVAL_MS = 60_000;

/** Event-loop timers count whole milliseconds and may fire this much before the time asked for. */
const EARLY_MS = 1;

/** Options of {@link HeartbeatSender}. */
export interface HeartbeatSenderOptions {
  /** Only its `mac`, `send` and `flush` are used; the owner opens and closes it. */
  readonly device: LinkDevice;
  readonly clock: Clock;
  readonly codec: BeatCodec;
  /** This node's own address. */
  readonly nodeAddress: Ipv4Address;
  readonly peerAddress: Ipv4Address;
  /** This incarnation. */
  readonly session: SessionId;
  /** {@link MIN_INTERVAL_MS} to {@link MAX_INTERVAL_MS}. */
  readonly intervalMs: number;
  /** Asked for each beat; must not throw. The result is not kept: the same object may be given each time. */
  readonly state: () => BeatState;
  /**
   * Asked right before each frame; must not throw. False: nothing is sent, and it is counted. A node that may have
   * been frozen keeps itself silent here until it knows that it is still what it was.
   */
  readonly guard?: () => boolean;
  /** Called after each beat that the device took; must not throw. */
  readonly onSent?: () => void;
}

/** Counts since the sender was made. */
export interface HeartbeatSenderCounters {
  /** Frames that the device took, of every kind. */
  sent: number;
  /** Of these, frames to everybody because the peer's MAC was not known. */
  broadcast: number;
  /** Trailers made for announcements, defences and probes; the frames are the ARP endpoint's. */
  trailers: number;
  /** Beats not sent because the guard said no. */
  suppressed: number;
  /** Beats that the device refused. */
  failed: number;
  /** Beats left out because their time had passed when the event loop came round. */
  skipped: number;
}

/**
 * Beats at a fixed interval. Times lie on a grid from {@link HeartbeatSender.start} on, so lateness never adds up; a
 * node that was held up goes on with the next beat of the grid and sends no burst. Nothing here throws once made.
 */
export class HeartbeatSender {
  readonly counters: HeartbeatSenderCounters = {
    sent: 0,
    broadcast: 0,
    trailers: 0,
    suppressed: 0,
    failed: 0,
    skipped: 0,
  };
  readonly intervalMs: number;
  #session: SessionId;
  readonly #options: HeartbeatSenderOptions;
  readonly #lateness = new DurationStatistics();
  readonly #frame = new Uint8Array(BEAT_FRAME_OCTETS);
  #peer = MacAddress.BROADCAST;
  #sequence = 0;
  #timer: Timer | undefined;
  #originMs = 0;
  /** Number of the next beat of the grid. */
  #tick = 0;

  /** @throws {HeartbeatError} `RFSIS_HEARTBEAT_INTERVAL_INVALID` */
  constructor(options: HeartbeatSenderOptions) {
    const { intervalMs } = options;
    if (!(intervalMs >= MIN_INTERVAL_MS && intervalMs <= MAX_INTERVAL_MS)) {
      throw new HeartbeatError(
        'RFSIS_HEARTBEAT_INTERVAL_INVALID',
        `an interval of ${intervalMs} ms cannot be kept: expected ${MIN_INTERVAL_MS} to ${MAX_INTERVAL_MS}`,
      );
    }
    this.#options = options;
    this.#session = options.session;
    this.intervalMs = intervalMs;
  }

  /** This incarnation. */
  get session(): SessionId {
    return this.#session;
  }

  /**
   * Goes on under a new session, with a new sequence: what the peer says from now on echoes it, and so can be told from
   * what it said before. For a node that was away and must not trust what waits in its buffers.
   */
  renewSession(session: SessionId): void {
    this.#session = session;
    this.#sequence = 0;
  }

  /** Whether it beats. */
  get running(): boolean {
    return this.#timer !== undefined;
  }

  /** Sequence number of the last beat or announcement; 0 before the first. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Sends the first beat at once and the others on the grid. Does nothing when it runs already. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#originMs = this.#options.clock.now();
    this.#tick = 1;
    this.#arm(this.intervalMs);
    this.#send(this.#options.state().kind ?? 'beat', this.#peer);
  }

  /** Sends nothing from here on, until the next {@link HeartbeatSender.start}. The sequence goes on. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /**
   * Sends the beat of the grid if its time has come. For owners whose timers can be held up, for example by a flood of
   * frames that keeps the event loop in one turn: called with each batch of frames, it keeps the rhythm all the same.
   */
  poll(): void {
    if (this.#timer === undefined) return;
    if (this.#options.clock.now() < this.#originMs + this.#tick * this.intervalMs) return;
    this.#timer.cancel();
    this.#onTimer();
  }

  /**
   * Sends a beat now, besides those of the grid.
   * @param destination MAC to send it to; by default the peer's
   * @returns false when it was not sent: stopped, held back by the guard, or refused by the device
   */
  beatNow(kind?: BeatKind, destination?: number): boolean {
    if (this.#timer === undefined) return false;
    return this.#send(
      kind ?? this.#options.state().kind ?? 'beat',
      destination === undefined ? this.#peer : MacAddress.fromNumber(destination),
    );
  }

  /**
   * Where beats go from now on.
   * @param mac the peer's MAC as an authentic beat gave it; undefined: to everybody
   */
  setPeerMac(mac: number | undefined): void {
    if (mac === this.#peer.value) return;
    this.#peer = mac === undefined ? MacAddress.BROADCAST : MacAddress.fromNumber(mac);
  }

  /**
   * Makes the trailer of one ARP announcement, defence or probe for a service address; give it to the ARP endpoint as
   * its `trailer`. Each call uses up a sequence number.
   */
  readonly trailer: ArpTrailer = (body, kind) => {
    this.counters.trailers++;
    return this.#options.codec.trailer(body, this.#nextBeat(kind === 'probe' ? 'probe' : 'announcement'));
  };

  /** How late its timer ran, per beat of the grid; skipped ones are part of the next one's lateness. */
  lateness(): DurationSummary {
    return this.#lateness.snapshot();
  }

  /** Forgets the lateness so far. The counters stay. */
  resetStatistics(): void {
    this.#lateness.reset();
  }

  #nextBeat(kind: BeatKind): Beat {
    const state = this.#options.state();
    return {
      kind,
      role: state.role,
      preferred: state.preferred,
      ready: state.ready,
      protected: state.protected,
      epoch: state.epoch,
      echo: state.echo,
      progress: state.progress,
      session: this.#session,
      sequence: ++this.#sequence,
      intervalMs: this.intervalMs,
    };
  }

  #arm(delayMs: number): void {
    this.#timer = this.#options.clock.setTimer(delayMs, this.#onTimer);
  }

  readonly #onTimer = (): void => {
    const { clock } = this.#options;
    const nowMs = clock.now();
    const dueMs = this.#originMs + this.#tick * this.intervalMs;
    if (nowMs < dueMs - EARLY_MS) {
      this.#arm(dueMs - nowMs);
      return;
    }
    this.#lateness.record(nowMs - dueMs);
    // The first beat of the grid that lies ahead; one that is due within the timer's inaccuracy counts as passed.
    const next = Math.max(
      this.#tick + 1,
      Math.floor((nowMs - this.#originMs + EARLY_MS / 2) / this.intervalMs) + 1,
    );
    this.counters.skipped += next - this.#tick - 1;
    this.#tick = next;
    // Armed before sending: a guard or state callback may call stop().
    this.#arm(this.#originMs + next * this.intervalMs - nowMs);
    this.#send(this.#options.state().kind ?? 'beat', this.#peer);
  };

  #send(kind: BeatKind, destination: MacAddress): boolean {
    const { device, nodeAddress, peerAddress, codec, guard } = this.#options;
    if (guard !== undefined && !guard()) {
      this.counters.suppressed++;
      return false;
    }
    const frame = this.#frame;
    emitEthernetHeader(frame, 0, destination.value, device.mac.value, EtherType.arp);
    emitArpFields(
      frame,
      ETHERNET_HEADER_OCTETS,
      ArpOperation.reply,
      device.mac.value,
      nodeAddress.value,
      destination.value,
      peerAddress.value,
    );
    codec.emit(frame, ETHERNET_HEADER_OCTETS, this.#nextBeat(kind));
    if (!device.send(frame)) {
      this.counters.failed++;
      return false;
    }
    device.flush();
    this.counters.sent++;
    if (destination.isGroup) this.counters.broadcast++;
    this.#options.onSent?.();
    return true;
  }
}
