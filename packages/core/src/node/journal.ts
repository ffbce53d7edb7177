// What happens on a node, for the operator: one log line per event, and the counts of the status.
import type { Role } from '@rfsis/heartbeat';
import type { Ipv4Address, MacAddress } from '@rfsis/link';
import type { Configuration } from '../config/configuration.js';
import type { Logger } from '../log.js';
import type { ArbiterVerdict } from '../role/arbiter.js';
import type { ClaimReason, Protection, RoleReason } from '../role/role-machine.js';
import { roundMs } from './milliseconds.js';

/** How a takeover went. Times are in milliseconds. */
export interface TakeoverReport {
  readonly epoch: number;
  readonly reason: ClaimReason;
  /** From the peer's last word to the decision. */
  readonly detectMs: number;
  /** From the decision until the address was announced. */
  readonly installMs: number;
}

export class Journal {
  takeovers = 0;
  fencings = 0;
  conflicts = 0;
  #granted = true;
  readonly #log: Logger;
  readonly #configuration: Configuration;

  constructor(log: Logger, configuration: Configuration) {
    this.#log = log;
    this.#configuration = configuration;
  }

  ready(role: Role, epoch: number): void {
    this.#log.info({ event: 'ready', role, epoch }, `ready as ${role}`);
  }

  roleChanged(from: Role, to: Role, epoch: number, reason: RoleReason): void {
    this.#log.info({ event: 'role', from, to, epoch, reason }, `${from} -> ${to}: ${reason}`);
    if (to === 'fenced') {
      this.fencings++;
      this.#log.warn({ event: 'fenced', reason, epoch }, `fenced: ${reason}`);
    }
  }

  protectionChanged(state: Protection): void {
    this.#log.info({ event: 'sync', state, connections: 0 }, state);
  }

  takeover({ epoch, reason, detectMs, installMs }: TakeoverReport): void {
    this.takeovers++;
    const address = this.#configuration.serviceAddress.address.toString();
    const fields = {
      epoch,
      reason,
      detectMs: roundMs(detectMs),
      installMs: roundMs(installMs),
      connections: 0,
    };
    this.#log.info({ event: 'takeover', ...fields }, `took over ${address}`);
  }

  leaseExpired(limitMs: number): void {
    const message = 'no beat left for too long; silent until it is known who is main';
    this.#log.warn({ event: 'lease-expired', limitMs }, message);
  }

  resumed(epoch: number): void {
    this.#log.info({ event: 'resumed', epoch }, 'still main after a pause');
  }

  /** Only changes are worth a line: a node without its witness asks again and again. */
  verdict({ granted, evidence }: ArbiterVerdict): void {
    if (granted === this.#granted) return;
    this.#granted = granted;
    if (granted) this.#log.info({ event: 'arbiter', granted, evidence }, evidence);
    else this.#log.warn({ event: 'arbiter', granted, evidence }, evidence);
  }

  conflict(address: Ipv4Address, mac: MacAddress): void {
    this.conflicts++;
    this.#log.warn(
      { event: 'conflict', mac: mac.toString(), address: address.toString() },
      `${mac.toString()} claims ${address.toString()}: defended; find that host and give it another address`,
    );
  }

  carrier(name: string, up: boolean): void {
    this.#log.warn({ event: 'link', up, interface: name }, `${name}: carrier ${up ? 'back' : 'lost'}`);
  }

  leavesWithoutHandover(reason: string): void {
    this.#log.warn({ event: 'handover-refused', reason }, `leaving without a handover: ${reason}`);
  }
}
