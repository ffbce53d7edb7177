// A lab that several programs share: the first one makes it, the last one removes it, and each takes one node of it.
// All state is in the kernel: namespaces say what exists, locks on their files say who is there, and both survive, or
// vanish with, a program that is killed.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from './errors.js';
import { FileLock } from './file-lock.js';
import { Lab } from './lab.js';
import type { LabHost } from './lab-host.js';
import { checkLabName, listNamespaces, NAMESPACE_FOLDER, namespaceOf } from './names.js';
import { onProcessEnd, removeNamespacesNow } from './removal.js';
import { requireAvailability } from './requirements.js';
import { addStandardHosts, STANDARD_NODES, type StandardNode } from './standard-layout.js';

/** Held while a shared lab is made, joined or removed. */
const GATE_FILE = '/run/rfsis-lab.lock';
const GATE_TIMEOUT_S = 30;
const GATE_TIMEOUT_AT_END_S = 5;
const TRY_ONCE = 0;

/** A place in a shared lab: one of its nodes, for this program alone. */
export class SharedLab {
  readonly lab: Lab;
  /** Which node is ours: the first program gets `alpha`, which is to be main, the second `beta`. */
  readonly seat: StandardNode;
  /** Whether this call has made the lab. */
  readonly created: boolean;
  readonly #seatLock: FileLock;
  readonly #withdrawCleanup: () => void;
  #leaving: Promise<void> | undefined;

  private constructor(lab: Lab, seat: StandardNode, created: boolean, seatLock: FileLock) {
    this.lab = lab;
    this.seat = seat;
    this.created = created;
    this.#seatLock = seatLock;
    this.#withdrawCleanup = onProcessEnd(() => {
      this.#leaveNow();
    });
  }

  /**
   * Joins the standard network of this name, or makes it when no program is in it.
   * @throws {LabError} `RFSIS_LAB_SEATS_TAKEN` when both nodes are in use, `RFSIS_LAB_UNAVAILABLE`
   */
  static async joinOrCreate(name: string): Promise<SharedLab> {
    requireAvailability(['network']);
    checkLabName(name);
    const gate = await FileLock.acquire(GATE_FILE, GATE_TIMEOUT_S);
    if (gate === undefined) {
      throw new LabError(
        'RFSIS_LAB_TIMEOUT',
        `another program has held ${GATE_FILE} for ${GATE_TIMEOUT_S} s`,
      );
    }
    let lab: Lab | undefined;
    try {
      const created = takenSeats(name).length === 0;
      // What programs that were killed have left behind may be in any state: make it anew.
      if (created) await Lab.remove(name);
      lab = created ? await Lab.create({ name }) : await Lab.attach(name);
      if (created) await addStandardHosts(lab);
      for (const seat of STANDARD_NODES) {
        const lock = await FileLock.acquire(seatFile(name, seat), TRY_ONCE);
        if (lock !== undefined) return new SharedLab(lab, seat, created, lock);
      }
      throw new LabError(
        'RFSIS_LAB_SEATS_TAKEN',
        `both nodes of lab "${name}" are in use (${STANDARD_NODES.join(', ')}): stop one of their programs first`,
      );
    } catch (error) {
      await lab?.close();
      throw error;
    } finally {
      gate.release();
    }
  }

  /** The seats of a shared lab that are in use by running programs. */
  static taken(name: string): readonly StandardNode[] {
    return takenSeats(name);
  }

  /** The node that is ours. */
  get node(): LabHost {
    return this.lab.host(this.seat);
  }

  /** The command that runs a program in the namespace of a host, for people to type. */
  commandIn(host: string, command: readonly string[]): string {
    return ['ip', 'netns', 'exec', this.lab.host(host).namespace, ...command].join(' ');
  }

  /** Ends what this program has started, gives up the seat, and removes the lab when nobody else is in it. */
  async leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  async #leave(): Promise<void> {
    const { name } = this.lab;
    await this.lab.close();
    // Nobody joins or leaves between the look and the removal. Without the gate, leave the lab to the next one.
    const gate = await FileLock.acquire(GATE_FILE, GATE_TIMEOUT_S);
    try {
      this.#seatLock.release();
      if (gate !== undefined && takenSeats(name).length === 0) await Lab.remove(name);
    } finally {
      gate?.release();
      this.#withdrawCleanup();
    }
  }

  #leaveNow(): void {
    const { name } = this.lab;
    this.#seatLock.release();
    const gate = FileLock.acquireNow(GATE_FILE, GATE_TIMEOUT_AT_END_S);
    if (gate !== undefined && takenSeats(name).length === 0) {
      removeNamespacesNow(listNamespaces(name).map(({ namespace }) => namespace));
    }
    gate?.release();
  }
}

function seatFile(lab: string, seat: StandardNode): string {
  return join(NAMESPACE_FOLDER, namespaceOf(lab, seat));
}

/** Which nodes have a lock on the file of their namespace, as the kernel lists locks (proc(5), /proc/locks). */
function takenSeats(name: string): StandardNode[] {
  const locks = readFileSync('/proc/locks', 'utf8');
  return STANDARD_NODES.filter((seat) => {
    try {
      const { ino } = statSync(seatFile(name, seat));
      return new RegExp(`FLOCK .* [0-9a-f]+:[0-9a-f]+:${ino} `).test(locks);
    } catch {
      return false; // There is no such namespace.
    }
  });
}
