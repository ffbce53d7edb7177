// A host that can be stopped, as by SIGSTOP or a blocked event loop: time passes, nothing of it runs, frames pile up in
// its receive buffer.
import {
  DeviceWrapper,
  FrameBatch,
  type Clock,
  type FramesHandler,
  type LinkDevice,
  type LinkStateHandler,
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

class StoppableDevice extends DeviceWrapper {
  readonly #wrap: (deliver: FramesHandler) => FramesHandler;

  constructor(port: MemoryPort, wrap: (deliver: FramesHandler) => FramesHandler) {
    super(port);
    this.#wrap = wrap;
  }

  override open(onFrames: FramesHandler, onLinkState?: LinkStateHandler): void {
    this.device.open(this.#wrap(onFrames), onLinkState);
  }
}
