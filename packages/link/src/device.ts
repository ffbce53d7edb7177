// The seam between the network and everything above it: a device that takes and gives batches of Ethernet frames.
import type { MacAddress } from './mac-address.js';

/** What a device knows about the checksums (TCP, UDP) of a received frame. */
export const ChecksumState = {
  /** Nothing is known: the receiver verifies. */
  unknown: 0,
  /** The device has verified it. */
  valid: 1,
  /** The field holds only the pseudo-header sum; the frame never left this machine. The data is taken as right. */
  partial: 2,
} as const;
export type ChecksumState = (typeof ChecksumState)[keyof typeof ChecksumState];

/**
 * Received frames, valid only during the call that hands them over: keep a copy, not a reference. All frames lie in
 * {@link FrameBatch.bytes}; frame `index` begins at {@link FrameBatch.offset} and is {@link FrameBatch.length} octets
 * long, Ethernet header included, frame check sequence not.
 */
export class FrameBatch {
  /** Storage of all frames of this batch. Never a Buffer, whose `slice()` would not copy. */
  bytes: Uint8Array;
  /** How many frames there are. */
  count = 0;
  #offsets: Uint32Array;
  #lengths: Uint32Array;
  #checksums: Uint8Array;

  constructor(bytes: Uint8Array = new Uint8Array(0), capacity = 1) {
    this.bytes = bytes;
    this.#offsets = new Uint32Array(capacity);
    this.#lengths = new Uint32Array(capacity);
    this.#checksums = new Uint8Array(capacity);
  }

  /** A batch of one frame that fills `frame`. */
  static of(frame: Uint8Array): FrameBatch {
    const batch = new FrameBatch(frame);
    batch.add(0, frame.length);
    return batch;
  }

  /** How many frames fit before the tables grow. */
  get capacity(): number {
    return this.#offsets.length;
  }

  offset(index: number): number {
    return this.#offsets[index] as number;
  }

  length(index: number): number {
    return this.#lengths[index] as number;
  }

  checksum(index: number): ChecksumState {
    return this.#checksums[index] as ChecksumState;
  }

  /** A window on frame `index`, without a copy. */
  frame(index: number): Uint8Array {
    return this.bytes.subarray(this.offset(index), this.offset(index) + this.length(index));
  }

  /** For devices: appends a frame that lies in {@link FrameBatch.bytes}. */
  add(offset: number, length: number, checksum: ChecksumState = ChecksumState.unknown): void {
    if (this.count === this.#offsets.length) this.#grow();
    this.#offsets[this.count] = offset;
    this.#lengths[this.count] = length;
    this.#checksums[this.count] = checksum;
    this.count++;
  }

  /** For devices: makes the batch empty for the next use. */
  clear(): void {
    this.count = 0;
  }

  #grow(): void {
    const capacity = Math.max(8, this.#offsets.length * 2);
    const offsets = new Uint32Array(capacity);
    offsets.set(this.#offsets);
    const lengths = new Uint32Array(capacity);
    lengths.set(this.#lengths);
    const checksums = new Uint8Array(capacity);
    checksums.set(this.#checksums);
    this.#offsets = offsets;
    this.#lengths = lengths;
    this.#checksums = checksums;
  }
}

/** A copy of the first `length` octets of `frame`. Unlike `slice()` it copies a Buffer too. */
export function copyFrame(frame: Uint8Array, length: number = frame.length): Uint8Array {
  const copy = new Uint8Array(length);
  copy.set(length === frame.length ? frame : frame.subarray(0, length));
  return copy;
}

/** Takes the frames of one batch. It must not throw. */
export type FramesHandler = (batch: FrameBatch) => void;

/** Is told when the carrier comes or goes. */
export type LinkStateHandler = (up: boolean) => void;

/** Work that a device can take off the stack when sending. */
export interface LinkOffload {
  /** The largest TCP frame the device cuts into segments itself, in octets; 0 when it cannot. */
  readonly segmentationOctets: number;
  /** Whether the device fills in TCP and UDP checksums. */
  readonly checksums: boolean;
}

/** The offload of a plain device: none. */
export const NO_OFFLOAD: LinkOffload = { segmentationOctets: 0, checksums: false };

/** Frames and octets since the device was made. */
export interface LinkCounters {
  rxFrames: number;
  rxOctets: number;
  /** Frames lost before they reached the handler: full buffers, truncation. */
  rxDropped: number;
  txFrames: number;
  txOctets: number;
  /** Frames that `send` refused: no carrier, too long, an error of the system. */
  txDropped: number;
}

/** All zero. */
export function newLinkCounters(): LinkCounters {
  return { rxFrames: 0, rxOctets: 0, rxDropped: 0, txFrames: 0, txOctets: 0, txDropped: 0 };
}

/**
 * An Ethernet interface. Each implementation runs the cases of `@rfsis/link/compliance`. Devices compose: a tracer or
 * a fault injector takes a device and is one.
 */
export interface LinkDevice {
  /** For logs: the interface's name. */
  readonly name: string;
  readonly mac: MacAddress;
  /** The largest payload of a frame, in octets, without the Ethernet header. */
  readonly mtu: number;
  readonly offload: LinkOffload;
  /** Whether there is a carrier. */
  readonly up: boolean;
  readonly counters: Readonly<LinkCounters>;

  /**
   * Begins to receive. Own transmissions are not received. Frames that are not for {@link LinkDevice.mac} may be.
   * @throws {LinkError} when the device cannot be opened, or is open or closed already (`RFSIS_LINK_STATE`)
   */
  open(onFrames: FramesHandler, onLinkState?: LinkStateHandler): void;

  /**
   * Sends the first `length` octets of `frame` (all of it by default). The frame belongs to the caller again as soon
   * as the call returns. Never throws.
   * @returns false when the frame was dropped; it is then counted in `txDropped`
   */
  send(frame: Uint8Array, length?: number): boolean;

  /** Passes on what `send` has gathered; devices that send at once do nothing. */
  flush(): void;

  /** Stops receiving and sending, for good. May be called twice. */
  close(): void;
}
