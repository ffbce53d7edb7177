// A device that spoils what passes through it: loss, duplication, reordering, delay, corruption. For tests of what is above.
import { DeviceWrapper } from './device-wrapper.js';
import type { Clock, Timer } from './clock.js';
import {
  ChecksumState,
  FrameBatch,
  copyFrame,
  type FramesHandler,
  type LinkDevice,
  type LinkStateHandler,
} from './device.js';
import { randomBelow, randomFraction, type Random } from './random.js';

/** What happens to the frames of one direction. Probabilities are 0 to 1, drawn for each frame; all default to 0. */
export interface Faults {
  /** Probability that a frame is lost. */
  readonly loss?: number;
  /** Probability that a frame arrives twice. */
  readonly duplication?: number;
  /** Probability that one bit of a frame, anywhere behind its Ethernet header, is flipped. */
  readonly corruption?: number;
  /** Probability that a frame is held back for {@link Faults.reorderMs}, so that later ones overtake it. */
  readonly reordering?: number;
  /** How long a reordered frame is held back; default 1 ms. */
  readonly reorderMs?: number;
  /** Added to the way of every frame. */
  readonly delayMs?: number;
  /** Up to so much more delay, drawn for each frame. Frames do not overtake one another by it. */
  readonly jitterMs?: number;
}

/** How many frames met which fault, in one direction. */
export interface FaultCounters {
  /** All frames that came in. */
  frames: number;
  lost: number;
  duplicated: number;
  corrupted: number;
  reordered: number;
  delayed: number;
  /** Lost because too many frames were held already. */
  overflowed: number;
}

/** Options of {@link FaultInjector}. */
export interface FaultInjectorOptions {
  readonly device: LinkDevice;
  readonly clock: Clock;
  /** A {@link SeededRandom} makes the faults repeatable. */
  readonly random: Random;
  /** Faults of frames on their way up; default none. */
  readonly receive?: Faults;
  /** Faults of frames on their way out; default none. */
  readonly transmit?: Faults;
  /** Frames that may be held in each direction; more are lost and counted. Default 4096. */
  readonly heldFrames?: number;
}

const HEADER_OCTETS = 14;

/** Passes on one frame; `storage` is stable until the call returns. */
type Deliver = (storage: Uint8Array, offset: number, length: number, checksum: ChecksumState) => void;

/** One direction: draws the fate of each frame. */
class FaultyPath {
  faults: Required<Faults>;
  readonly counters: FaultCounters = {
    frames: 0,
    lost: 0,
    duplicated: 0,
    corrupted: 0,
    reordered: 0,
    delayed: 0,
    overflowed: 0,
  };
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limit: number;
  readonly #deliver: Deliver;
  readonly #held = new Set<Timer>();
  /** Held frames that nothing may overtake: all but the reordered ones. */
  #heldInOrder = 0;
  /** When the last of them is due. */
  #lastDueMs = 0;

  constructor(options: FaultInjectorOptions, faults: Faults | undefined, deliver: Deliver) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#limit = options.heldFrames ?? 4096;
    this.#deliver = deliver;
    this.faults = complete(faults ?? {});
  }

  /** Whether every frame passes untouched, and none that is held could be overtaken. */
  get isClear(): boolean {
    const { loss, duplication, corruption, reordering, delayMs, jitterMs } = this.faults;
    return loss + duplication + corruption + reordering + delayMs + jitterMs === 0 && this.#held.size === 0;
  }

  pass(storage: Uint8Array, offset: number, length: number, checksum: ChecksumState): void {
    this.counters.frames++;
    if (this.#happens(this.faults.loss)) {
      this.counters.lost++;
      return;
    }
    if (this.#happens(this.faults.duplication)) {
      this.counters.duplicated++;
      this.#corruptAndSchedule(storage, offset, length, checksum);
    }
    this.#corruptAndSchedule(storage, offset, length, checksum);
  }

  drop(): void {
    for (const timer of this.#held) timer.cancel();
    this.#held.clear();
  }

  #corruptAndSchedule(storage: Uint8Array, offset: number, length: number, checksum: ChecksumState): void {
    if (length <= HEADER_OCTETS || !this.#happens(this.faults.corruption)) {
      this.#schedule(storage, offset, length, checksum);
      return;
    }
    this.counters.corrupted++;
    const copy = copyFrame(storage.subarray(offset, offset + length));
    const bit = HEADER_OCTETS * 8 + randomBelow(this.#random, (length - HEADER_OCTETS) * 8);
    copy[bit >>> 3] = (copy[bit >>> 3] as number) ^ (1 << (bit & 7));
    // What the device found out about the checksum is not true any more.
    this.#schedule(copy, 0, length, ChecksumState.unknown);
  }

  #schedule(storage: Uint8Array, offset: number, length: number, checksum: ChecksumState): void {
    const { delayMs, jitterMs, reordering, reorderMs } = this.faults;
    const nowMs = this.#clock.now();
    let dueMs = nowMs + delayMs;
    if (jitterMs > 0) dueMs += jitterMs * randomFraction(this.#random);
    const inOrder = !this.#happens(reordering);
    if (inOrder) {
      if (this.#heldInOrder > 0) dueMs = Math.max(dueMs, this.#lastDueMs);
    } else {
      this.counters.reordered++;
      dueMs += reorderMs;
    }
    if (dueMs <= nowMs && (!inOrder || this.#heldInOrder === 0)) {
      this.#deliver(storage, offset, length, checksum);
      return;
    }
    if (this.#held.size >= this.#limit) {
      this.counters.overflowed++;
      return;
    }
    this.counters.delayed++;
    if (inOrder) this.#lastDueMs = dueMs;
    this.#hold(copyFrame(storage.subarray(offset, offset + length)), dueMs - nowMs, checksum, inOrder);
  }

  #hold(copy: Uint8Array, delayMs: number, checksum: ChecksumState, inOrder: boolean): void {
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#held.delete(timer);
      if (inOrder) this.#heldInOrder--;
      this.#deliver(copy, 0, copy.length, checksum);
    });
    this.#held.add(timer);
    if (inOrder) this.#heldInOrder++;
  }

  #happens(probability: number): boolean {
    return probability > 0 && randomFraction(this.#random) < probability;
  }
}

/**
 * Spoils the traffic of a device, in each direction by its own {@link Faults}, which may change at any time. What was lost
 * on the way out counts as sent. A frame that has been corrupted is handed up with its checksum state unknown; what holds
 * only a partial checksum (see {@link ChecksumState}) cannot be told from an intact one: corrupt only whole checksums.
 */
export class FaultInjector extends DeviceWrapper {
  readonly #receive: FaultyPath;
  readonly #transmit: FaultyPath;
  readonly #batch = new FrameBatch();
  #onFrames: FramesHandler | undefined;

  constructor(options: FaultInjectorOptions) {
    super(options.device);
    this.#receive = new FaultyPath(options, options.receive, (storage, offset, length, checksum) => {
      this.#batch.clear();
      this.#batch.bytes = storage;
      this.#batch.add(offset, length, checksum);
      this.#onFrames?.(this.#batch);
    });
    this.#transmit = new FaultyPath(options, options.transmit, (storage, offset, length) => {
      this.device.send(offset === 0 ? storage : storage.subarray(offset), length);
      this.device.flush();
    });
  }

  /** Faults of frames on their way up. Setting them replaces all; frames held already keep their time. */
  get receiveFaults(): Faults {
    return this.#receive.faults;
  }
  set receiveFaults(faults: Faults) {
    this.#receive.faults = complete(faults);
  }

  /** Faults of frames on their way out. */
  get transmitFaults(): Faults {
    return this.#transmit.faults;
  }
  set transmitFaults(faults: Faults) {
    this.#transmit.faults = complete(faults);
  }

  get receiveCounters(): Readonly<FaultCounters> {
    return this.#receive.counters;
  }
  get transmitCounters(): Readonly<FaultCounters> {
    return this.#transmit.counters;
  }

  override open(onFrames: FramesHandler, onLinkState?: LinkStateHandler): void {
    this.device.open((batch) => {
      this.#receiveBatch(batch);
    }, onLinkState);
    this.#onFrames = onFrames;
  }

  override send(frame: Uint8Array, length: number = frame.length): boolean {
    if (this.#transmit.isClear || !this.up || length > frame.length) {
      if (this.#transmit.isClear) this.#transmit.counters.frames++;
      return this.device.send(frame, length);
    }
    this.#transmit.pass(frame, 0, length, ChecksumState.unknown);
    return true;
  }

  override close(): void {
    this.#onFrames = undefined;
    this.#receive.drop();
    this.#transmit.drop();
    this.device.close();
  }

  #receiveBatch(batch: FrameBatch): void {
    if (this.#receive.isClear) {
      this.#receive.counters.frames += batch.count;
      this.#onFrames?.(batch);
      return;
    }
    for (let index = 0; index < batch.count; index++) {
      this.#receive.pass(batch.bytes, batch.offset(index), batch.length(index), batch.checksum(index));
    }
  }
}

function complete(faults: Faults): Required<Faults> {
  return {
    loss: 0,
    duplication: 0,
    corruption: 0,
    reordering: 0,
    reorderMs: 1,
    delayMs: 0,
    jitterMs: 0,
    ...faults,
  };
}
