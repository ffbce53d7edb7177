// Two role machines that exchange beats in a world of one-millisecond steps; everything else is left out.
import type { Role } from '@rfsis/heartbeat';
import {
  RoleMachine,
  type ClaimReason,
  type PeerBeat,
  type RoleMachineOptions,
} from '../../src/role/role-machine.js';

export const INTERVAL_MS = 10;
export const TIMEOUT_MS = 50;

interface Message {
  readonly beat: Omit<PeerBeat, 'current'> & {
    readonly echo: number;
    readonly session: number;
    readonly sequence: number;
  };
  readonly arriveAtMs: number;
}

/** One node of the pair: a machine, a trivial failure detector, a trivial beat sender. */
export class MachineNode {
  readonly name: string;
  machine!: RoleMachine;
  peer!: MachineNode;
  alive = false;
  /** A frozen node does nothing and hears what it missed afterwards. */
  frozen = false;
  /** What the arbiter says. */
  granted = true;
  owns = false;
  carrier = true;
  /** What the event loop comes to first. */
  timersFirst = false;
  claims: { atMs: number; epoch: number; reason: ClaimReason }[] = [];
  changes: string[] = [];
  readonly inbox: Message[] = [];
  #options: RoleMachineOptions;
  #session = 0;
  #echo = 0;
  #heardAtMs = -Infinity;
  #peerAlive = false;
  #peerSession = 0;
  #peerSequence = 0;
  #sequence = 0;
  #nextBeatAtMs = 0;
  #lastBeatAtMs = 0;
  #answeredAtMs = -Infinity;
  #nowMs = 0;
  #wire: Wire;

  constructor(name: string, wire: Wire, options: Partial<RoleMachineOptions> = {}) {
    this.name = name;
    this.#wire = wire;
    this.#options = {
      preferred: name === 'a',
      lowerAddress: name === 'a',
      intervalMs: INTERVAL_MS,
      timeoutMs: TIMEOUT_MS,
      preempt: false,
      ...options,
    };
  }

  start(nowMs: number): void {
    this.alive = true;
    this.frozen = false;
    this.owns = false;
    this.#nowMs = nowMs;
    this.#lastBeatAtMs = nowMs;
    this.#session = this.#wire.newSession();
    this.#echo = 0;
    this.#peerAlive = false;
    this.#peerSession = 0;
    this.inbox.length = 0;
    this.machine = new RoleMachine(this.#options, {
      serve: (epoch, reason) => {
        this.owns = true;
        this.#lastBeatAtMs = this.#nowMs;
        this.claims.push({ atMs: this.#nowMs, epoch, reason });
        this.#beat();
      },
      silence: () => {
        this.owns = false;
      },
      reassert: () => undefined,
      beat: () => {
        this.#beat();
      },
      renewSession: () => {
        this.#session = this.#wire.newSession();
      },
      consult: (done) => {
        done({ granted: this.granted, answeredAtMs: this.#nowMs, evidence: 'test' });
      },
      roleChanged: (from, to, reason) => {
        this.changes.push(`${from}>${to}:${reason}`);
      },
      protectionChanged: () => undefined,
    });
    this.machine.start(nowMs);
    this.machine.onAddressFree(nowMs);
    this.#nextBeatAtMs = nowMs;
  }

  kill(): void {
    this.alive = false;
    this.owns = false;
  }

  get role(): Role | 'dead' {
    return this.alive ? this.machine.role : 'dead';
  }

  /** Would answer a client in this millisecond. */
  get serves(): boolean {
    return this.alive && !this.frozen && this.owns && this.machine.serving && this.carrier;
  }

  setCarrier(nowMs: number, up: boolean): void {
    this.carrier = up;
    if (up) this.#heardAtMs = nowMs;
    if (this.alive) this.machine.onCarrier(nowMs, up);
  }

  step(nowMs: number): void {
    if (!this.alive || this.frozen) return;
    this.#nowMs = nowMs;
    if (this.machine.role === 'joining') this.machine.onAddressFree(nowMs);
    if (nowMs - this.#lastBeatAtMs >= TIMEOUT_MS * 0.9) {
      this.#lastBeatAtMs = nowMs;
      // The real detector gives the peer a grace after a stall of its own.
      this.#heardAtMs = Math.max(this.#heardAtMs, nowMs - TIMEOUT_MS + 2 * INTERVAL_MS);
      this.machine.onLeaseExpired(nowMs);
    }
    if (this.timersFirst) this.#runTimers(nowMs);
    this.#readInbox(nowMs);
    if (!this.timersFirst) this.#runTimers(nowMs);
    if (nowMs >= this.#nextBeatAtMs) {
      this.#nextBeatAtMs = nowMs + INTERVAL_MS;
      this.#beat();
    }
  }

  #readInbox(nowMs: number): void {
    for (
      let message = this.inbox[0];
      message !== undefined && message.arriveAtMs <= nowMs;
      message = this.inbox[0]
    ) {
      this.inbox.shift();
      this.#receive(nowMs, message);
    }
  }

  #runTimers(nowMs: number): void {
    // The real detector knows its own stalls and waits for what lies in the buffer.
    const hasNews = (this.inbox[0]?.arriveAtMs ?? Infinity) <= nowMs;
    if (!hasNews && this.#peerAlive && this.carrier && nowMs - this.#heardAtMs >= TIMEOUT_MS) {
      this.#peerAlive = false;
      this.machine.onPeerGone(nowMs, 'silent');
    }
    if (nowMs >= this.machine.pollAt()) this.machine.onTimer(nowMs);
  }

  #receive(nowMs: number, { beat }: Message): void {
    const isNewSession = beat.session !== this.#peerSession;
    // The real monitor remembers all of the peer's former sessions; they are numbered here.
    if (beat.session < this.#peerSession) return;
    if (!isNewSession && beat.sequence <= this.#peerSequence) return;
    this.#echo = beat.session;
    if (isNewSession && beat.echo !== this.#session) {
      this.#answer(nowMs);
      this.machine.onHello(nowMs, beat);
      return;
    }
    this.#peerSession = beat.session;
    this.#peerSequence = beat.sequence;
    this.#heardAtMs = nowMs;
    this.#peerAlive = true;
    if (isNewSession || beat.kind === 'hello') this.#answer(nowMs);
    this.machine.onBeat(nowMs, { ...beat, current: beat.echo === this.#session });
  }

  #answer(nowMs: number): void {
    if (nowMs - this.#answeredAtMs < INTERVAL_MS) return;
    this.#answeredAtMs = nowMs;
    this.#beat();
  }

  #beat(): void {
    const { machine } = this;
    if (!this.carrier) return;
    this.#lastBeatAtMs = this.#nowMs;
    this.#wire.send(this, this.#nowMs, {
      kind: machine.verifying ? 'hello' : machine.handingOver ? 'handover' : 'beat',
      role: machine.verifying ? 'fenced' : machine.role,
      epoch: machine.epoch,
      preferred: this.#options.preferred,
      ready: machine.ready,
      echo: this.#echo,
      session: this.#session,
      sequence: ++this.#sequence,
    });
  }
}

/** Carries beats. */
export class Wire {
  /** Whether a beat of this sender is lost now. */
  loses: (sender: MachineNode, nowMs: number) => boolean = () => false;
  /** How long each copy of a beat is under way, at the least 1; they may overtake one another. */
  delaysMs: () => readonly number[] = () => [1];
  #sessions = 0;

  newSession(): number {
    return ++this.#sessions;
  }

  send(sender: MachineNode, nowMs: number, beat: Message['beat']): void {
    if (this.loses(sender, nowMs) || !sender.peer.carrier || !sender.peer.alive) return;
    const { inbox } = sender.peer;
    for (const delayMs of this.delaysMs()) inbox.push({ beat, arriveAtMs: nowMs + delayMs });
    inbox.sort((one, other) => one.arriveAtMs - other.arriveAtMs);
  }
}

/** A pair under one clock. */
export class MachinePair {
  readonly wire = new Wire();
  readonly a: MachineNode;
  readonly b: MachineNode;
  nowMs = 0;
  /** Milliseconds in which both served, and both were connected. */
  bothServedMs = 0;
  nobodyServedMs = 0;

  constructor(options: Partial<RoleMachineOptions> = {}) {
    this.a = new MachineNode('a', this.wire, options);
    this.b = new MachineNode('b', this.wire, options);
    this.a.peer = this.b;
    this.b.peer = this.a;
  }

  run(durationMs: number, eachStep?: (nowMs: number) => void): void {
    for (const endMs = this.nowMs + durationMs; this.nowMs < endMs; this.nowMs++) {
      eachStep?.(this.nowMs);
      this.a.step(this.nowMs);
      this.b.step(this.nowMs);
      if (this.a.serves && this.b.serves) this.bothServedMs++;
      if (!this.a.serves && !this.b.serves) this.nobodyServedMs++;
    }
  }

  /** Both started and settled: a is main, b its backup. */
  static settled(options: Partial<RoleMachineOptions> = {}): MachinePair {
    const pair = new MachinePair(options);
    pair.a.start(0);
    pair.b.start(0);
    pair.run(500);
    pair.nobodyServedMs = 0;
    return pair;
  }
}
