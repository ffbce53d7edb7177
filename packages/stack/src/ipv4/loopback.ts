// Datagrams from this host to itself: they are copied and come in at the end of the event-loop turn.
import type { Clock, Timer } from '@rfsis/link';

/** Bounded in octets; what does not fit is refused. */
export class LoopbackQueue {
  readonly #clock: Clock;
  readonly #limitOctets: number;
  readonly #deliver: (datagram: Uint8Array) => void;
  #queue: Uint8Array[] = [];
  #octets = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, limitOctets: number, deliver: (datagram: Uint8Array) => void) {
    this.#clock = clock;
    this.#limitOctets = limitOctets;
    this.#deliver = deliver;
  }

  /** @returns false when there is no room */
  push(bytes: Uint8Array, offset: number, end: number): boolean {
    if (this.#octets + (end - offset) > this.#limitOctets) return false;
    // Not slice: of a Buffer that is no copy.
    this.#queue.push(Uint8Array.prototype.slice.call(bytes, offset, end));
    this.#octets += end - offset;
    this.#timer ??= this.#clock.defer(() => {
      this.#drain();
    });
    return true;
  }

  /** Forgets what is waiting. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#queue = [];
    this.#octets = 0;
  }

  /** Only what was there at the beginning: what it causes comes in the next turn. */
  #drain(): void {
    const queue = this.#queue;
    this.clear();
    for (const datagram of queue) this.#deliver(datagram);
  }
}
