// One node: puts device, stack, heartbeat, sniffer and role machine together and carries out what the machine decides.
import type { Role } from '@rfsis/heartbeat';
import {
  Ipv4Cidr,
  SecureRandom,
  SharedDevice,
  SystemClock,
  type Clock,
  type LinkDevice,
  type MacAddress,
  type Random,
  type Timer,
} from '@rfsis/link';
import { Stack } from '@rfsis/stack';
import type { Registry } from 'prom-client';
import type { Configuration } from '../config/configuration.js';
import { ControlServer } from '../control/control-server.js';
import type { NodeStatus } from '../control/status.js';
import { RfsisError } from '../errors.js';
import { createLogger, type Logger } from '../log.js';
import type { Arbiter } from '../role/arbiter.js';
import { Lease, LeasedDevice } from '../role/lease.js';
import {
  RoleMachine,
  type ClaimReason,
  type HandoverRefusal,
  type RoleReason,
} from '../role/role-machine.js';
import { NoArbiter, WitnessArbiter } from '../role/witness.js';
import { AddressCheck } from './address-check.js';
import { applicationContext, type Application } from './application.js';
import { describeNode } from './describe-node.js';
import { createMetrics, type CounterTree } from './metrics.js';
import { Journal } from './journal.js';
import { Pulse } from './pulse.js';
import { Service } from './service.js';

/** Options of {@link RfsisNode}. */
export interface RfsisNodeOptions {
  readonly configuration: Configuration;
  /** The interface; the node opens and closes it. */
  readonly device: LinkDevice;
  readonly application: Application;
  /** Default: real time. */
  readonly clock?: Clock;
  /** Default: secure. */
  readonly random?: Random;
  /** Default: pino to standard output at the configured level. */
  readonly log?: Logger;
  /** Whether to serve the control socket; default false. */
  readonly control?: boolean;
}

/** A main acts only while its last beat is younger than this part of the peer's timeout. */
const LEASE_FRACTION = 0.9;
/** Foreign claims of the service address are answered at most this often, in milliseconds. */
const DEFEND_INTERVAL_MS = 1000;

const REFUSALS: Readonly<Record<HandoverRefusal, string>> = {
  'not-main': 'this node does not serve; ask the main',
  'no-backup': 'there is no backup to hand over to',
  'backup-not-ready': 'the backup is not ready to take over',
  'under-way': 'a handover is under way already',
};

/** A node of a pair. */
export class RfsisNode {
  readonly configuration: Configuration;
  readonly stack: Stack;
  readonly #application: Application;
  readonly #wantsControl: boolean;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #device: SharedDevice;
  readonly #link: LinkDevice;
  readonly #lease: Lease;
  readonly #leased: LeasedDevice;
  readonly #service: Service;
  readonly #machine: RoleMachine;
  readonly #pulse: Pulse;
  readonly #arbiter: Arbiter;
  readonly #addressCheck: AddressCheck;
  readonly #metrics: Registry;
  readonly #journal: Journal;
  readonly #leaseLimitMs: number;
  #control: ControlServer | undefined;
  #timer: Timer | undefined;
  #timerDueMs = Infinity;
  #startedAtMs = 0;
  #phase: 'new' | 'started' | 'leaving' | 'closed' = 'new';
  #start: { ready: () => void; refuse: (error: Error) => void } | undefined;
  #handoverDone: ((handedOver: boolean) => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: RfsisNodeOptions) {
    const { configuration } = options;
    this.configuration = configuration;
    this.#application = options.application;
    this.#wantsControl = options.control ?? false;
    this.#clock = options.clock ?? new SystemClock();
    this.#log = options.log ?? createLogger({ level: configuration.log.level, clock: this.#clock });
    this.#link = options.device;
    this.#device = new SharedDevice(options.device);
    const random = options.random ?? new SecureRandom();
    this.#journal = new Journal(this.#log, configuration);
    this.#leaseLimitMs = configuration.heartbeat.timeoutMs * LEASE_FRACTION;
    this.#lease = new Lease({
      clock: this.#clock,
      limitMs: this.#leaseLimitMs,
      onExpired: () => {
        this.#drive(() => undefined);
      },
    });
    // The monitor's port is opened first, so that a beat is judged before the stack sees the ARP packet it rides on.
    this.#pulse = this.#makePulse(random);
    this.#leased = new LeasedDevice(this.#device.port(), this.#lease, configuration.serviceAddress.address);
    this.stack = this.#makeStack(random);
    this.#service = new Service(this.stack, configuration.serviceAddress, this.#lease);
    this.#machine = this.#makeMachine();
    this.#arbiter = this.#makeArbiter();
    this.#addressCheck = this.#makeAddressCheck();
    this.#metrics = createMetrics(
      () => this.status(),
      () => this.#counters(),
    );
  }

  get role(): Role {
    return this.#machine.role;
  }

  get epoch(): number {
    return this.#machine.epoch;
  }

  /** Whether this node answers the clients now. */
  get serving(): boolean {
    return this.#machine.serving && this.#phase !== 'closed';
  }

  /**
   * Opens the interface and the application, then joins: as backup when somebody serves, otherwise as main. When it
   * fails, nothing stays open.
   * @returns when the role is found
   * @throws {RfsisError} `RFSIS_ADDRESS_IN_USE`, `RFSIS_CONTROL_SOCKET`, `RFSIS_STATE` (started before, or stopped
   * before the role was found)
   * @throws {LinkError} when the interface cannot be opened
   */
  async start(): Promise<void> {
    if (this.#phase !== 'new') throw new RfsisError('RFSIS_STATE', 'a node can be started once only');
    this.#phase = 'started';
    this.#startedAtMs = this.#clock.now();
    this.#lease.grant();
    try {
      // The interface first: a user without privileges is told about those, not about the control socket.
      this.#openPorts();
      if (this.#wantsControl) await this.#openControl();
      await this.#application(applicationContext(this.configuration, this.stack, this.#log));
      this.#requireStarted();
      await this.#join();
    } catch (error) {
      await this.#close();
      throw error;
    }
  }

  /**
   * Hands the service over to the backup; this node is its backup afterwards.
   * @throws {RfsisError} `RFSIS_HANDOVER_REFUSED`, `RFSIS_STATE`
   */
  async handover(): Promise<void> {
    if (this.#phase === 'new' || this.#phase === 'closed') {
      throw new RfsisError('RFSIS_STATE', 'this node does not run');
    }
    const handedOver = await new Promise<boolean>((resolve, reject) => {
      const refusal = this.#drive((nowMs) => this.#machine.handOver(nowMs, resolve));
      if (refusal === undefined) this.#handoverDone = resolve;
      else reject(new RfsisError('RFSIS_HANDOVER_REFUSED', REFUSALS[refusal]));
    });
    if (!handedOver) {
      throw new RfsisError('RFSIS_HANDOVER_REFUSED', 'the backup did not take over in time; see the log');
    }
  }

  /** Leaves the pair: a main hands over if it can, then this node says goodbye and closes everything. */
  stop(): Promise<void> {
    this.#stopped ??= this.#leave();
    return this.#stopped;
  }

  /** Closes everything at once, without a word to anybody. */
  destroy(): void {
    void this.#close();
  }

  status(): NodeStatus {
    return describeNode({
      configuration: this.configuration,
      link: this.#link,
      machine: this.#machine,
      pulse: this.#pulse,
      journal: this.#journal,
      arbiter: this.#arbiter,
      serving: this.serving,
      uptimeMs: Math.round(this.#clock.now() - this.#startedAtMs),
    });
  }

  /** Everything the layers have counted. */
  #counters(): CounterTree {
    return {
      link: { ...this.#link.counters },
      lease: { ...this.#leased.leaseCounters },
      monitor: this.#pulse.counters(),
      ...structuredClone(this.stack.counters),
    } as unknown as CounterTree;
  }

  async #openControl(): Promise<void> {
    const control = await ControlServer.open(this.configuration.controlSocket, {
      status: () => this.status(),
      metrics: async () => ({
        contentType: this.#metrics.contentType,
        text: await this.#metrics.metrics(),
      }),
      handover: () => this.handover(),
    });
    this.#control = control;
    this.#requireStarted();
  }

  #openPorts(): void {
    const { serviceAddress, nodeAddress } = this.configuration;
    this.#pulse.open();
    this.stack.open();
    this.#watchCarrier();
    this.stack.addAddress(new Ipv4Cidr(nodeAddress, serviceAddress.prefixLength));
  }

  #join(): Promise<void> {
    return new Promise<void>((ready, refuse) => {
      this.#start = { ready, refuse };
      this.#pulse.start();
      this.#addressCheck.start();
      this.#drive((nowMs) => {
        this.#machine.start(nowMs);
      });
    });
  }

  /** After each wait of the start: it may have been stopped meanwhile. */
  #requireStarted(): void {
    if (this.#phase !== 'started') throw stoppedTooSoon();
  }

  async #leave(): Promise<void> {
    if (this.#phase === 'started') {
      this.#phase = 'leaving';
      if (this.#machine.serving) {
        await this.handover().catch((error: unknown) => {
          const why = error instanceof Error ? error.message : String(error);
          this.#journal.leavesWithoutHandover(why);
        });
      }
      this.#service.release();
      this.#pulse.goodbye();
    }
    await this.#close();
  }

  /** All but the end of the control socket's connections happens within the call. */
  async #close(): Promise<void> {
    const control = this.#control;
    this.#control = undefined;
    if (this.#phase !== 'closed') {
      this.#phase = 'closed';
      this.#timer?.cancel();
      this.#addressCheck.stop();
      this.#arbiter.close();
      this.#pulse.stop();
      this.stack.close();
      this.#device.close();
      this.#start?.refuse(stoppedTooSoon());
      this.#handoverDone?.(false);
    }
    await control?.close();
  }

  #makePulse(random: Random): Pulse {
    return new Pulse({
      configuration: this.configuration,
      monitorPort: this.#device.port(),
      senderPort: this.#device.port(),
      clock: this.#clock,
      random,
      state: () => ({
        // A main that is not sure of itself asks, it does not assert.
        kind: this.#machine.verifying ? 'hello' : this.#machine.handingOver ? 'handover' : 'beat',
        role: this.#machine.verifying ? 'fenced' : this.#machine.role,
        epoch: this.#machine.epoch,
        ready: this.#machine.ready,
        protected: this.#machine.protection === 'protected',
      }),
      mayBeat: () => !this.#machine.serving || this.#lease.permits(),
      onSent: () => {
        this.#lease.renew();
      },
      onBeat: (beat) => {
        this.#drive((nowMs) => {
          // Asked here and not before: finding out that we were away has renewed the session.
          this.#machine.onBeat(nowMs, { ...beat, current: this.#pulse.isCurrent(beat) });
        });
      },
      onHello: (beat) => {
        this.#drive((nowMs) => {
          this.#machine.onHello(nowMs, beat);
        });
      },
      onPeerGone: (cause) => {
        this.#drive((nowMs) => {
          this.#machine.onPeerGone(nowMs, cause);
        });
      },
      log: this.#log,
    });
  }

  #makeStack(random: Random): Stack {
    const { gateway } = this.configuration;
    return new Stack({
      device: this.#leased,
      clock: this.#clock,
      random,
      ...(gateway === undefined ? {} : { gateway }),
      arp: {
        defendIntervalMs: DEFEND_INTERVAL_MS,
        trailer: (body, kind) => this.#pulse.trailer(body, kind),
        isTrusted: (bytes, offset, end) => this.#pulse.isFromPeer(bytes, offset, end),
        onConflict: ({ address, mac, kind }) => {
          if (kind === 'ongoing') this.#journal.conflict(address, mac);
        },
      },
    });
  }

  #makeArbiter(): Arbiter {
    const { witness, heartbeat } = this.configuration;
    if (witness === undefined) return new NoArbiter(this.#clock);
    return new WitnessArbiter({
      arp: this.stack.arp,
      clock: this.#clock,
      witness,
      timeoutMs: heartbeat.timeoutMs,
    });
  }

  #makeAddressCheck(): AddressCheck {
    const { serviceAddress, heartbeat } = this.configuration;
    return new AddressCheck({
      arp: this.stack.arp,
      clock: this.#clock,
      address: serviceAddress.address,
      graceMs: 2 * heartbeat.timeoutMs,
      peerMac: () => this.#pulse.peerMac,
      onFree: () => {
        this.#drive((nowMs) => {
          this.#machine.onAddressFree(nowMs);
        });
      },
      onTaken: (holder) => {
        this.#onAddressTaken(holder);
      },
    });
  }

  #makeMachine(): RoleMachine {
    const { role, nodeAddress, peerAddress, heartbeat, preempt } = this.configuration;
    return new RoleMachine(
      {
        preferred: role === 'main',
        lowerAddress: nodeAddress.value < peerAddress.value,
        intervalMs: heartbeat.intervalMs,
        timeoutMs: heartbeat.timeoutMs,
        preempt,
      },
      {
        serve: (epoch, reason) => {
          this.#serve(epoch, reason);
        },
        silence: () => {
          this.#service.release();
        },
        reassert: () => {
          this.#service.announce();
        },
        beat: () => {
          this.#pulse.beat();
        },
        renewSession: () => {
          this.#pulse.renewSession();
        },
        consult: (done) => {
          this.#consult(done);
        },
        roleChanged: (from, to, reason) => {
          this.#onRoleChanged(from, to, reason);
        },
        protectionChanged: (protection) => {
          this.#journal.protectionChanged(protection);
        },
      },
    );
  }

  /** Gives the machine an event, then sees to it that the machine is called again in time. */
  #drive<T>(event: (nowMs: number) => T): T | undefined {
    if (this.#phase === 'new' || this.#phase === 'closed') return undefined;
    const nowMs = this.#clock.now();
    this.#lease.permits();
    if (this.#lease.takeExpiry()) this.#onLeaseExpired(nowMs);
    const result = event(nowMs);
    this.#arm();
    return result;
  }

  #arm(): void {
    const dueMs = this.#machine.pollAt();
    if (dueMs === this.#timerDueMs && this.#timer !== undefined) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerDueMs = dueMs;
    if (dueMs === Infinity) return;
    this.#timer = this.#clock.setTimer(Math.max(0, dueMs - this.#clock.now()), () => {
      this.#timer = undefined;
      this.#drive((nowMs) => {
        this.#machine.onTimer(nowMs);
      });
    });
  }

  #serve(epoch: number, reason: ClaimReason): void {
    const beganAtMs = this.#clock.now();
    const detectMs = this.#pulse.peerAgeMs ?? 0;
    this.#service.take();
    this.#pulse.beat(reason === 'handover' ? 'took-over' : undefined);
    const installMs = this.#clock.now() - beganAtMs;
    if (reason === 'still-main') this.#journal.resumed(epoch);
    else if (reason !== 'nobody-serves') this.#journal.takeover({ epoch, reason, detectMs, installMs });
  }

  #consult(done: Parameters<Arbiter['consult']>[0]): void {
    this.#arbiter.consult((verdict) => {
      this.#journal.verdict(verdict);
      this.#drive(() => {
        done(verdict);
      });
    });
  }

  #onRoleChanged(from: Role, to: Role, reason: RoleReason): void {
    this.#journal.roleChanged(from, to, this.#machine.epoch, reason);
    // Whoever is not main has nothing to hold back any more.
    if (from === 'main') this.#lease.grant();
    if (to === 'joining') this.#addressCheck.start();
    else this.#addressCheck.stop();
    if (to === 'main' || to === 'backup') {
      const start = this.#start;
      this.#start = undefined;
      if (start !== undefined) this.#journal.ready(to, this.#machine.epoch);
      start?.ready();
    }
  }

  #onLeaseExpired(nowMs: number): void {
    if (this.#machine.serving) this.#journal.leaseExpired(this.#leaseLimitMs);
    this.#machine.onLeaseExpired(nowMs);
    // A main gets it back when it knows that it still is one; the others have nothing to hold back.
    if (this.#machine.role !== 'main') this.#lease.grant();
  }

  #watchCarrier(): void {
    this.#device.port().open(
      () => undefined,
      (up) => {
        this.#journal.carrier(this.#link.name, up);
        this.#drive((nowMs) => {
          this.#machine.onCarrier(nowMs, up);
        });
      },
    );
  }

  #onAddressTaken(holder: MacAddress): void {
    const start = this.#start;
    if (start === undefined) {
      this.#journal.conflict(this.configuration.serviceAddress.address, holder);
      return;
    }
    this.#start = undefined;
    const address = this.configuration.serviceAddress.address.toString();
    const hint = this.#pulse.hasRejectedBeatsFrom(holder)
      ? 'it sends heartbeats that fail authentication: give both nodes the same sync.key'
      : 'stop that host, or choose another serviceAddress';
    start.refuse(
      new RfsisError('RFSIS_ADDRESS_IN_USE', `${address} is already in use by ${holder.toString()}: ${hint}`),
    );
  }
}

function stoppedTooSoon(): RfsisError {
  return new RfsisError('RFSIS_STATE', 'the node was stopped before it found its role');
}
