// A simulated computer: its clock and its interface stand still while it is frozen and end when it dies.
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

/** Octets that wait in the receive buffer of a frozen host; frames beyond are lost, as in a real ring. */
const RECEIVE_BUFFER_OCTETS = 2 * 1024 * 1024;

/** What a host does first when it wakes: an event loop may come to its timers or to its frames first. */
export type WakeOrder = 'timers-first' | 'frames-first';

/** The clock and the interface of one process on one computer. */
export class Host {
  readonly name: string;
  readonly clock: Clock;
  readonly device: LinkDevice;
  /** The switch port, with the cable in it. */
  readonly port: MemoryPort;
  readonly #virtual: VirtualClock;
  readonly #timers: (() => void)[] = [];
  readonly #frames: Uint8Array[] = [];
  #bufferedOctets = 0;
  #state: 'running' | 'frozen' | 'dead' = 'running';
  #onFrames: FramesHandler | undefined;

  constructor(name: string, virtual: VirtualClock, port: MemoryPort) {
    this.name = name;
    this.port = port;
    this.#virtual = virtual;
    this.clock = {
      now: () => virtual.now(),
      wallTime: () => virtual.wallTime(),
      setTimer: (delayMs, callback) => this.#schedule((run) => virtual.setTimer(delayMs, run), callback),
      defer: (callback) => this.#schedule((run) => virtual.defer(run), callback),
    };
    this.device = new HostDevice(port, {
      isAlive: () => this.#state !== 'dead',
      receive: (batch, onFrames) => {
        this.#receive(batch, onFrames);
      },
    });
  }

  get alive(): boolean {
    return this.#state !== 'dead';
  }

  /** SIGSTOP, a paused machine, a blocked event loop: frames wait, timers wait. */
  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen';
  }

  /** Goes on: everything that waited happens now. */
  thaw(order: WakeOrder): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    const wake =
      order === 'timers-first' ? [this.#runTimers, this.#runFrames] : [this.#runFrames, this.#runTimers];
    for (const step of wake) this.#virtual.defer(step);
  }

  /** SIGKILL: nothing of it happens any more. The cable stays in. */
  kill(): void {
    this.#state = 'dead';
    this.#timers.length = 0;
    this.#frames.length = 0;
    this.port.close();
  }

  #schedule(arm: (run: () => void) => Timer, callback: () => void): Timer {
    let pending: (() => void) | undefined = callback;
    const run = (): void => {
      if (this.#state === 'frozen') {
        this.#timers.push(run);
      } else if (this.#state === 'running' && pending !== undefined) {
        const due = pending;
        pending = undefined;
        due();
      }
    };
    const timer = arm(run);
    return {
      cancel: () => {
        pending = undefined;
        timer.cancel();
      },
    };
  }

  #receive(batch: FrameBatch, onFrames: FramesHandler): void {
    this.#onFrames = onFrames;
    if (this.#state === 'running') {
      onFrames(batch);
      return;
    }
    for (let index = 0; this.#state === 'frozen' && index < batch.count; index++) {
      if (this.#bufferedOctets + batch.length(index) > RECEIVE_BUFFER_OCTETS) return;
      this.#bufferedOctets += batch.length(index);
      this.#frames.push(batch.frame(index).slice());
    }
  }

  readonly #runTimers = (): void => {
    for (const run of this.#timers.splice(0)) this.#virtual.defer(run);
  };

  readonly #runFrames = (): void => {
    this.#bufferedOctets = 0;
    for (const frame of this.#frames.splice(0)) {
      this.#virtual.defer(() => {
        if (this.#state === 'running') this.#onFrames?.(FrameBatch.of(frame));
      });
    }
  };
}

interface HostDeviceOwner {
  isAlive(): boolean;
  receive(batch: FrameBatch, onFrames: FramesHandler): void;
}

class HostDevice extends DeviceWrapper {
  readonly #owner: HostDeviceOwner;

  constructor(port: MemoryPort, owner: HostDeviceOwner) {
    super(port);
    this.#owner = owner;
  }

  override open(onFrames: FramesHandler, onLinkState?: LinkStateHandler): void {
    this.device.open((batch) => {
      this.#owner.receive(batch, onFrames);
    }, onLinkState);
  }

  override send(frame: Uint8Array, length?: number): boolean {
    return this.#owner.isAlive() && this.device.send(frame, length);
  }
}
