// Who is main. A pure state machine: events and the time come in, effects go out; no timers, no packets, no clock.
//
//   joining --nobody serves--> main          main --rival of a higher epoch, isolated--> fenced
//   joining --peer is main---> backup        main --handover done--> backup
//   backup  --peer gone------> main          fenced --at once--> joining
//
// The epoch orders all mains that ever were: whoever claims the service takes an epoch above all it has seen.
import type { BeatKind, Role } from '@rfsis/heartbeat';
import type { ArbiterVerdict } from './arbiter.js';

/** What the machine wants to know about a beat that is authentic and fresh. */
export interface PeerBeat {
  readonly kind: BeatKind;
  readonly role: Role;
  readonly epoch: number;
  /** The peer's configured role is main. */
  readonly preferred: boolean;
  /** The peer could serve if it had to. */
  readonly ready: boolean;
  /** The beat was made after our current session began, so it cannot be an old one that waited in a buffer. */
  readonly current: boolean;
}

/** Why a node began to serve. */
export type ClaimReason =
  'nobody-serves' | 'peer-silent' | 'peer-goodbye' | 'peer-not-main' | 'handover' | 'still-main';

/** Why a main stopped. */
export type FenceReason = 'rival' | 'isolated';

/** Why the role changed; for the log. */
export type RoleReason = ClaimReason | FenceReason | 'peer-is-main' | 'rejoin' | 'handed-over';

/** How safe the service is. */
export type Protection = 'solo' | 'joining' | 'protected';

/** What the machine asks of its surroundings. Every call returns at once. */
export interface RoleEffects {
  /** Own the service address, install what is known, announce. */
  serve(epoch: number, reason: ClaimReason): void;
  /** Give the service address up at once, without a packet. */
  silence(): void;
  /** A rival was beaten: tell everybody again whose address it is. */
  reassert(): void;
  /** Send a beat now, not at the next tick. */
  beat(): void;
  /** Take a new session, so that whatever the peer says from now on can be told from what it said before. */
  renewSession(): void;
  /** Ask whether this node may serve without the other one's consent. */
  consult(done: (verdict: ArbiterVerdict) => void): void;
  roleChanged(from: Role, to: Role, reason: RoleReason): void;
  protectionChanged(protection: Protection): void;
}

/** Times are in milliseconds. */
export interface RoleMachineOptions {
  /** The configured role is main. */
  readonly preferred: boolean;
  /** Own address before peer address in numerical order: breaks ties. */
  readonly lowerAddress: boolean;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Hand over to a preferred peer when it is ready. */
  readonly preempt: boolean;
}

interface Handover {
  readonly untilMs: number;
  readonly done: (handedOver: boolean) => void;
}

/** Why {@link RoleMachine.handOver} refuses. */
export type HandoverRefusal = 'not-main' | 'no-backup' | 'backup-not-ready' | 'under-way';

/**
 * A joining node listens at least this long, however short the timeout is: a switch port that has just come up, or a
 * process that has just begun, may be deaf for a while.
 */
const MIN_LISTEN_MS = 300;
/** A claim is put off at the most this many times the waiting time for the sake of a peer that only says hello. */
const HELLO_PATIENCE = 10;

export class RoleMachine {
  readonly #options: RoleMachineOptions;
  readonly #effects: RoleEffects;
  #role: Role = 'joining';
  #epoch = 0;
  #peer: PeerBeat | undefined;
  #protection: Protection | undefined;
  #carrier = true;
  /** The arbiter's last word on a claim of ours was no. */
  #denied = false;
  /** The service address was probed and nobody else has it. */
  #addressFree = false;
  /** joining, backup: when to claim if nothing contradicts. */
  #claimAtMs = Infinity;
  #claimReason: ClaimReason = 'nobody-serves';
  #joinedAtMs = 0;
  /** fenced: when to join again. */
  #rejoinAtMs = Infinity;
  /** main: not sure of it, until then (set while the question is open). */
  #verifyUntilMs: number | undefined;
  #handover: Handover | undefined;
  /** When to hand over to a preferred peer. */
  #preemptAtMs = Infinity;
  /** Not before then is a beaten rival answered with announcements again. */
  #reassertAtMs = 0;
  /** Invalidates answers of the arbiter to questions that no longer matter. */
  #question = 0;
  #asking = false;

  constructor(options: RoleMachineOptions, effects: RoleEffects) {
    this.#options = options;
    this.#effects = effects;
  }

  get role(): Role {
    return this.#role;
  }

  /** The highest epoch seen; as a main, its own. */
  get epoch(): number {
    return this.#epoch;
  }

  /** A main that has been away and does not know yet whether it still is one. It must not send as main. */
  get verifying(): boolean {
    return this.#role === 'main' && this.#verifyUntilMs !== undefined;
  }

  /** A main that has asked its peer to take over. It does not serve any more. */
  get handingOver(): boolean {
    return this.#handover !== undefined;
  }

  get serving(): boolean {
    return this.#role === 'main' && this.#verifyUntilMs === undefined && this.#handover === undefined;
  }

  /** Whether this node could serve if it had to. */
  get ready(): boolean {
    return this.#carrier && !this.#denied;
  }

  get protection(): Protection {
    return this.#protection ?? 'solo';
  }

  /** When {@link RoleMachine.onTimer} wants to be called; Infinity when not at all. */
  pollAt(): number {
    return Math.min(
      this.#asking ? Infinity : this.#claimAtMs,
      this.#rejoinAtMs,
      this.#verifyUntilMs ?? Infinity,
      this.#handover?.untilMs ?? Infinity,
      this.#preemptAtMs,
    );
  }

  start(nowMs: number): void {
    this.#join(nowMs);
    this.#updateProtection();
  }

  /** The probe of the service address found nobody. Until then a joining node does not claim, nor one that rejoins. */
  onAddressFree(nowMs: number): void {
    this.#addressFree = true;
    if (this.#role === 'joining' && this.#claimAtMs < nowMs) this.#claimAtMs = nowMs;
  }

  /** A beat that is authentic and fresh. */
  onBeat(nowMs: number, beat: PeerBeat): void {
    this.#peer = beat;
    if (this.#role === 'main') {
      this.#onBeatMain(nowMs, beat);
    } else {
      this.#epoch = Math.max(this.#epoch, beat.epoch);
      if (this.#role === 'joining') this.#onBeatJoining(nowMs, beat);
      else if (this.#role === 'backup') this.#onBeatBackup(nowMs, beat);
    }
    this.#considerPreemption(nowMs);
    this.#updateProtection();
  }

  /**
   * An authentic beat which may be an old one, for it does not prove that it was made for our session. It has no
   * effect but to put off a claim, and that not for ever.
   */
  onHello(nowMs: number, beat: { readonly kind: BeatKind; readonly role: Role }): void {
    if (this.#role !== 'joining' || (beat.role !== 'main' && beat.kind !== 'hello')) return;
    const patienceMs = HELLO_PATIENCE * this.#claimDelayMs;
    if (nowMs - this.#joinedAtMs < patienceMs) {
      this.#claimAtMs = Math.max(this.#claimAtMs, nowMs + this.#options.timeoutMs);
    }
  }

  /** The peer has been silent for too long, or has said goodbye. */
  onPeerGone(nowMs: number, cause: 'silent' | 'goodbye'): void {
    this.#peer = undefined;
    this.#preemptAtMs = Infinity;
    if (this.#role === 'backup') {
      this.#scheduleClaim(nowMs, nowMs, cause === 'goodbye' ? 'peer-goodbye' : 'peer-silent');
      this.#claimIfDue(nowMs);
    } else if (this.serving) {
      this.#goSolo(nowMs);
    }
    this.#updateProtection();
  }

  /**
   * This node has not been able to say that it is alive for so long that the peer may have given it up: the process
   * was stopped, the loop was blocked, the carrier was gone. What waits in its buffers is old news. To be called before
   * anything else that happens after such a time, whatever the role.
   */
  onLeaseExpired(nowMs: number): void {
    if (this.#handover !== undefined) this.#handoverFailed(nowMs);
    else if (this.#role === 'main') this.#verify(nowMs);
    else this.#effects.renewSession();
    if (this.#claimAtMs !== Infinity)
      this.#claimAtMs = Math.max(this.#claimAtMs, nowMs + this.#options.timeoutMs);
  }

  onCarrier(nowMs: number, up: boolean): void {
    this.#carrier = up;
    if (!up) {
      if (this.#verifyUntilMs !== undefined) this.#verifyUntilMs = Infinity;
      return;
    }
    if (this.#verifyUntilMs !== undefined) {
      this.#verifyUntilMs = nowMs + this.#options.timeoutMs;
      this.#effects.beat();
    }
    // Whatever was true before the carrier came back, the peer gets the time to be heard again.
    if (this.#claimAtMs !== Infinity)
      this.#claimAtMs = Math.max(this.#claimAtMs, nowMs + this.#options.timeoutMs);
  }

  onTimer(nowMs: number): void {
    if (nowMs >= this.#rejoinAtMs) {
      this.#rejoinAtMs = Infinity;
      this.#setRole('joining', 'rejoin');
      this.#join(nowMs);
    }
    this.#claimIfDue(nowMs);
    if (this.#verifyUntilMs !== undefined && nowMs >= this.#verifyUntilMs) this.#resumeAlone(nowMs);
    if (this.#handover !== undefined && nowMs >= this.#handover.untilMs) this.#handoverFailed(nowMs);
    if (nowMs >= this.#preemptAtMs) {
      this.#preemptAtMs = Infinity;
      this.handOver(nowMs, () => undefined);
    }
    this.#updateProtection();
  }

  /**
   * Asks the backup to take over and stops serving.
   * @param done called when the peer serves, or with false when this node had to go on
   * @returns undefined when the handover has begun, otherwise why not
   */
  handOver(nowMs: number, done: (handedOver: boolean) => void): HandoverRefusal | undefined {
    if (this.#handover !== undefined) return 'under-way';
    if (!this.serving) return 'not-main';
    if (this.#peer?.role !== 'backup') return 'no-backup';
    if (!this.#peer.ready) return 'backup-not-ready';
    this.#handover = { untilMs: nowMs + this.#options.timeoutMs, done };
    this.#effects.silence();
    this.#effects.beat();
    return undefined;
  }

  #onBeatJoining(nowMs: number, beat: PeerBeat): void {
    if (beat.kind === 'hello') {
      // A main that was away asks whether it still is one, and will be if we let it.
      this.#scheduleClaim(nowMs, nowMs + this.#options.timeoutMs, 'nobody-serves');
    } else if (beat.role === 'main') {
      this.#claimAtMs = Infinity;
      this.#setRole('backup', 'peer-is-main');
    } else if (beat.ready && (beat.role === 'backup' || !this.#outranks(beat))) {
      // It is about to claim. Should it fail to, the silence after it or its own words bring us back here.
      this.#scheduleClaim(nowMs, nowMs + this.#options.timeoutMs, 'nobody-serves');
    }
  }

  #onBeatBackup(nowMs: number, beat: PeerBeat): void {
    if (beat.kind === 'hello') return;
    // What was said before we were away is no reason to take over; that the peer was main is reason enough not to.
    const takesOver = beat.kind === 'handover' || beat.role !== 'main';
    if (takesOver && !beat.current) return;
    if (beat.kind === 'handover') {
      this.#scheduleClaim(nowMs, nowMs, 'handover');
      this.#claimIfDue(nowMs);
    } else if (beat.role === 'main') {
      this.#claimAtMs = Infinity;
      this.#denied = false;
    } else if (beat.role === 'backup' && beat.ready && !this.#outranks(beat)) {
      if (this.#claimAtMs === Infinity) {
        this.#scheduleClaim(nowMs, nowMs + this.#options.timeoutMs, 'peer-not-main');
      }
    } else {
      // The peer lives and says that it is not main, for example because its process was started anew.
      if (this.#claimAtMs === Infinity) this.#scheduleClaim(nowMs, nowMs, 'peer-not-main');
      this.#claimIfDue(nowMs);
    }
  }

  #onBeatMain(nowMs: number, beat: PeerBeat): void {
    // A hello comes from a main that is in doubt; it may have the better claim all the same.
    if (beat.role === 'main' || beat.kind === 'hello') {
      this.#meetRival(nowMs, beat);
      return;
    }
    this.#epoch = Math.max(this.#epoch, beat.epoch);
    // The peer lives, is not main, and says so after our question: nobody has taken our place.
    if (this.#verifyUntilMs !== undefined && beat.current) this.#resume();
  }

  #meetRival(nowMs: number, rival: PeerBeat): void {
    const rivalWins =
      rival.epoch > this.#epoch || (rival.epoch === this.#epoch && !this.#options.lowerAddress);
    if (this.#handover !== undefined && rival.epoch > this.#epoch) {
      const { done } = this.#handover;
      this.#handover = undefined;
      this.#epoch = rival.epoch;
      this.#setRole('backup', 'handed-over');
      done(true);
    } else if (rivalWins) {
      this.#epoch = rival.epoch;
      this.#fence(nowMs, 'rival');
    } else if (this.#verifyUntilMs === undefined) {
      // From equal epochs the winner moves on, so that whoever hears both knows who won.
      if (rival.epoch === this.#epoch) this.#epoch++;
      if (nowMs >= this.#reassertAtMs) {
        this.#reassertAtMs = nowMs + this.#options.timeoutMs;
        this.#effects.reassert();
      }
      this.#effects.beat();
    } else if (rival.current) {
      this.#resume();
    }
  }

  /** Stops serving until it is known whether the peer has taken over. */
  #verify(nowMs: number): void {
    this.#verifyUntilMs = this.#carrier ? nowMs + this.#options.timeoutMs : Infinity;
    // What the arbiter was asked before says nothing about now.
    this.#question++;
    this.#asking = false;
    this.#effects.renewSession();
    this.#effects.beat();
  }

  #goSolo(nowMs: number): void {
    this.#ask(nowMs, (verdict) => {
      if (!verdict.granted && this.serving && this.#peer === undefined) {
        this.#fence(verdict.answeredAtMs, 'isolated');
      }
    });
  }

  #resumeAlone(nowMs: number): void {
    // Asking again before the answer has come would withdraw the question.
    this.#verifyUntilMs = Infinity;
    this.#ask(nowMs, (verdict, prompt) => {
      if (!this.verifying) return;
      if (!verdict.granted) this.#fence(verdict.answeredAtMs, 'isolated');
      else if (prompt) this.#resume();
      else this.#verifyUntilMs = verdict.answeredAtMs + this.#options.timeoutMs;
      this.#updateProtection();
    });
  }

  #resume(): void {
    this.#verifyUntilMs = undefined;
    this.#effects.serve(this.#epoch, 'still-main');
  }

  /** The backup may have taken over all the same, and only its words were lost. */
  #handoverFailed(nowMs: number): void {
    const handover = this.#handover;
    this.#handover = undefined;
    this.#verify(nowMs);
    handover?.done(false);
  }

  #fence(nowMs: number, reason: FenceReason): void {
    const handover = this.#handover;
    this.#handover = undefined;
    this.#verifyUntilMs = undefined;
    this.#effects.silence();
    this.#setRole('fenced', reason);
    this.#rejoinAtMs = nowMs + this.#options.intervalMs;
    handover?.done(false);
  }

  #join(nowMs: number): void {
    this.#joinedAtMs = nowMs;
    this.#denied = false;
    // Somebody may have taken it since it was probed last.
    this.#addressFree = false;
    this.#scheduleClaim(nowMs, nowMs + this.#claimDelayMs, 'nobody-serves');
  }

  /**
   * How long a joining node listens: longer than the fencing limit of a main that is still there, and longer still when
   * it would rather be backup, so that two nodes started together need not meet as rivals.
   */
  get #claimDelayMs(): number {
    const { timeoutMs, preferred } = this.#options;
    return preferred ? Math.max(2 * timeoutMs, MIN_LISTEN_MS) : 2 * Math.max(2 * timeoutMs, MIN_LISTEN_MS);
  }

  #scheduleClaim(nowMs: number, atMs: number, reason: ClaimReason): void {
    this.#claimAtMs = Math.max(nowMs, atMs);
    this.#claimReason = reason;
  }

  #claimIfDue(nowMs: number): void {
    if (nowMs < this.#claimAtMs || this.#asking) return;
    if (this.#role !== 'joining' && this.#role !== 'backup') {
      this.#claimAtMs = Infinity;
      return;
    }
    if (!this.#carrier || (this.#role === 'joining' && !this.#addressFree)) {
      this.#claimAtMs = nowMs + this.#options.intervalMs;
      return;
    }
    this.#ask(nowMs, (verdict, prompt) => {
      // The way to the arbiter has only just opened: so may have the way to the peer. Listen first.
      const isOpen = verdict.granted && prompt && !this.#denied;
      this.#denied = !verdict.granted;
      if (this.#claimAtMs > verdict.answeredAtMs) return;
      if (isOpen) this.#claim();
      else this.#claimAtMs = verdict.answeredAtMs + this.#options.timeoutMs;
    });
  }

  #claim(): void {
    this.#claimAtMs = Infinity;
    this.#epoch++;
    this.#setRole('main', this.#claimReason);
    this.#effects.serve(this.#epoch, this.#claimReason);
    this.#updateProtection();
  }

  /** @param done `prompt`: the answer came so soon that nothing can have changed since the question */
  #ask(nowMs: number, done: (verdict: ArbiterVerdict, prompt: boolean) => void): void {
    const question = ++this.#question;
    this.#asking = true;
    this.#effects.consult((verdict) => {
      if (question !== this.#question) return;
      this.#asking = false;
      done(verdict, verdict.answeredAtMs - nowMs <= 2 * this.#options.intervalMs);
    });
  }

  #outranks(peer: PeerBeat): boolean {
    if (this.#options.preferred !== peer.preferred) return this.#options.preferred;
    return this.#options.lowerAddress;
  }

  #considerPreemption(nowMs: number): void {
    const peer = this.#peer;
    const wanted =
      this.#options.preempt &&
      !this.#options.preferred &&
      this.serving &&
      peer?.preferred === true &&
      peer.role === 'backup' &&
      peer.ready;
    if (!wanted) this.#preemptAtMs = Infinity;
    else if (this.#preemptAtMs === Infinity) {
      this.#preemptAtMs = nowMs + PREEMPT_SETTLE_TIMEOUTS * this.#options.timeoutMs;
    }
  }

  #setRole(role: Role, reason: RoleReason): void {
    const from = this.#role;
    this.#role = role;
    this.#question++;
    this.#asking = false;
    this.#effects.roleChanged(from, role, reason);
    this.#effects.beat();
  }

  #updateProtection(): void {
    const protection = this.#judgeProtection();
    if (protection === this.#protection) return;
    this.#protection = protection;
    this.#effects.protectionChanged(protection);
  }

  #judgeProtection(): Protection {
    if (this.#role === 'joining' || this.#role === 'fenced') return 'joining';
    if (this.#peer === undefined) return 'solo';
    const complementary = this.#role === 'main' ? this.#peer.role === 'backup' : this.#peer.role === 'main';
    return complementary ? 'protected' : 'joining';
  }
}

/** A preferred node is handed the service back after it has been a ready backup for this many timeouts. */
const PREEMPT_SETTLE_TIMEOUTS = 10;
