// A host that can be stopped, as by SIGSTOP or a blocked event loop: time passes, nothing of it runs, frames pile up in
// its receive buffer.
import {
  FrameBatch,
  type Clock,
  type FramesHandler,
  type LinkCounters,
  type LinkDevice,
  type LinkOffload,
  type LinkStateHandler,
  type MacAddress,
  type MemoryPort,
  type Timer,
  type VirtualClock,
} from '@rfsis/link';

/** What an event loop does first when it goes on: run the timers that are overdue, or read the frames that wait. */
export type ThawOrder = 'timers-first' | 'frames-first';

/** One host on one port. */
export class Host {
  readonly clock: Clock;
  readonly device: LinkDevice;
  readonly #time: VirtualClock;
  #isFrozen = false;
  readonly #timers: (() => void)[] = [];
  readonly #deferred: (() => void)[] = [];
  readonly #frames: Uint8Array[] = [];
  #onFrames: FramesHandler | undefined;

  constructor(time: VirtualClock, port: MemoryPort) {
    this.#time = time;
    this.clock = {
      now: () => time.now(),
      wallTime: () => time.wallTime(),
      setTimer: (delayMs, callback) =>
        this.#guarded(this.#timers, callback, (run) => time.setTimer(delayMs, run)),
      defer: (callback) => this.#guarded(this.#deferred, callback, (run) => time.defer(run)),
    };
    this.device = new StoppableDevice(port, (deliver) => (batch) => {
      this.#onFrames = deliver;
      for (let index = 0; index < batch.count; index++) {
        if (this.#isFrozen) this.#frames.push(batch.frame(index).slice());
        else deliver(FrameBatch.of(batch.frame(index).slice()));
      }
    });
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  /** Goes on. Deferred callbacks come last, as in an event loop. */
  thaw(order: ThawOrder): void {
    this.#isFrozen = false;
    const runTimers = () => {
      for (const callback of this.#timers.splice(0)) callback();
    };
    const readFrames = () => {
      for (const frame of this.#frames.splice(0)) this.#onFrames?.(FrameBatch.of(frame));
    };
    if (order === 'timers-first') {
      runTimers();
      readFrames();
    } else {
      readFrames();
      runTimers();
    }
    for (const callback of this.#deferred.splice(0)) callback();
    this.#time.advance(0);
  }

  #guarded(overdue: (() => void)[], callback: () => void, schedule: (run: () => void) => Timer): Timer {
    let isCancelled = false;
    const once = () => {
      if (!isCancelled) callback();
    };
    const timer = schedule(() => {
      if (this.#isFrozen) overdue.push(once);
      else once();
    });
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }
}

class StoppableDevice implements LinkDevice {
  readonly #port: MemoryPort;
  readonly #wrap: (deliver: FramesHandler) => FramesHandler;

  constructor(port: MemoryPort, wrap: (deliver: FramesHandler) => FramesHandler) {
    this.#port = port;
    this.#wrap = wrap;
  }

  get name(): string {
    return this.#port.name;
  }
  get mac(): MacAddress {
    return this.#port.mac;
  }
  get mtu(): number {
    return this.#port.mtu;
  }
  get offload(): LinkOffload {
    return this.#port.offload;
  }
  get up(): boolean {
    return this.#port.up;
  }
  get counters(): Readonly<LinkCounters> {
    return this.#port.counters;
  }
  open(onFrames: FramesHandler, onLinkState?: LinkStateHandler): void {
    this.#port.open(this.#wrap(onFrames), onLinkState);
  }
  send(frame: Uint8Array, length?: number): boolean {
    return this.#port.send(frame, length);
  }
  flush(): void {
    this.#port.flush();
  }
  close(): void {
    this.#port.close();
  }
}
