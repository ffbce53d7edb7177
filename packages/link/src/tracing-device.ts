// A device that records what passes through it in a capture file.
import { DeviceWrapper } from './device-wrapper.js';
import type { Clock } from './clock.js';
import type { FrameBatch, FramesHandler, LinkDevice, LinkStateHandler } from './device.js';
import { FrameDirection, type PcapngWriter } from './pcapng.js';

/** Options of {@link TracingDevice}. */
export interface TracingDeviceOptions {
  readonly device: LinkDevice;
  /** Gives the timestamps: its wall time. */
  readonly clock: Clock;
  /** Several devices may share one writer: each becomes an interface of the file. */
  readonly writer: PcapngWriter;
  /** The interface's name in the file; default: the device's. */
  readonly name?: string;
  /** Is told, once, that the writer threw; the traffic goes on, the recording does not. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Records received frames before they are handed on, and sent frames that the device took. Frames the device refused are
 * not in the file: they were never on the wire.
 */
export class TracingDevice extends DeviceWrapper {
  readonly #clock: Clock;
  readonly #writer: PcapngWriter;
  readonly #onError: ((error: unknown) => void) | undefined;
  readonly #interface: number;
  #recording = true;

  constructor(options: TracingDeviceOptions) {
    super(options.device);
    this.#clock = options.clock;
    this.#writer = options.writer;
    this.#onError = options.onError;
    this.#interface = options.writer.addInterface({
      name: options.name ?? options.device.name,
      mac: options.device.mac,
    });
  }

  /** Whether frames are recorded: until the writer throws, or {@link TracingDevice.stop}. */
  get recording(): boolean {
    return this.#recording;
  }

  override open(onFrames: FramesHandler, onLinkState?: LinkStateHandler): void {
    this.device.open((batch: FrameBatch) => {
      if (this.#recording) this.#recordBatch(batch);
      onFrames(batch);
    }, onLinkState);
  }

  override send(frame: Uint8Array, length: number = frame.length): boolean {
    if (!this.#recording) return this.device.send(frame, length);
    const wallMs = this.#clock.wallTime();
    const sent = this.device.send(frame, length);
    if (sent) this.#record(wallMs, frame.subarray(0, length), FrameDirection.outbound);
    return sent;
  }

  /** Ends the recording, not the device. */
  stop(): void {
    this.#recording = false;
  }

  #recordBatch(batch: FrameBatch): void {
    const wallMs = this.#clock.wallTime();
    for (let index = 0; index < batch.count && this.#recording; index++) {
      this.#record(wallMs, batch.frame(index), FrameDirection.inbound);
    }
  }

  #record(wallMs: number, frame: Uint8Array, direction: FrameDirection): void {
    try {
      this.#writer.frame(this.#interface, wallMs, frame, direction);
    } catch (error) {
      this.#recording = false;
      this.#onError?.(error);
    }
  }
}
