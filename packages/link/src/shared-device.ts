// Several consumers on one device: the stack, the sniffer, the heartbeat, a tap.
import { DeviceWrapper } from './device-wrapper.js';
import { LinkError } from './errors.js';
import type { FrameBatch, FramesHandler, LinkDevice, LinkStateHandler } from './device.js';

/**
 * Opens a device once and lets any number of ports use it. Every port receives every frame, in the order in which the
 * ports were opened; what one port sends the others do not see. The device opens with the first port and closes with
 * {@link SharedDevice.close} or with the last port.
 */
export class SharedDevice {
  readonly #device: LinkDevice;
  /** Replaced, never changed: a port may open or close while a frame is handed round. */
  #ports: readonly SharedPort[] = [];
  #opened = false;
  #closed = false;

  constructor(device: LinkDevice) {
    this.#device = device;
  }

  /** A new consumer's own view of the device. */
  port(): LinkDevice {
    return new SharedPort(this.#device, {
      attach: (port) => {
        this.#attach(port);
      },
      detach: (port) => {
        this.#detach(port);
      },
    });
  }

  /** Closes the device under all ports. */
  close(): void {
    for (const port of this.#ports) port.shut();
    this.#ports = [];
    this.#closed = true;
    this.#device.close();
  }

  #attach(port: SharedPort): void {
    if (this.#closed) {
      throw new LinkError('RFSIS_LINK_STATE', `${this.#device.name}: the shared device is closed already`);
    }
    if (!this.#opened) {
      this.#device.open(
        (batch) => {
          this.#deliver(batch);
        },
        (up) => {
          for (const each of this.#ports) each.linkState(up);
        },
      );
      this.#opened = true;
    }
    this.#ports = [...this.#ports, port];
  }

  #deliver(batch: FrameBatch): void {
    for (const port of this.#ports) port.deliver(batch);
  }

  #detach(port: SharedPort): void {
    this.#ports = this.#ports.filter((each) => each !== port);
    if (this.#opened && this.#ports.length === 0) this.close();
  }
}

interface PortOwner {
  attach(port: SharedPort): void;
  detach(port: SharedPort): void;
}

class SharedPort extends DeviceWrapper {
  readonly #owner: PortOwner;
  #onFrames: FramesHandler | undefined;
  #onLinkState: LinkStateHandler | undefined;
  #closed = false;

  constructor(device: LinkDevice, owner: PortOwner) {
    super(device);
    this.#owner = owner;
  }

  override get up(): boolean {
    return !this.#closed && this.device.up;
  }

  override open(onFrames: FramesHandler, onLinkState?: LinkStateHandler): void {
    if (this.#onFrames !== undefined || this.#closed) {
      throw new LinkError('RFSIS_LINK_STATE', `${this.name}: this port is open or closed already`);
    }
    this.#owner.attach(this);
    this.#onFrames = onFrames;
    this.#onLinkState = onLinkState;
  }

  override send(frame: Uint8Array, length?: number): boolean {
    return !this.#closed && this.device.send(frame, length);
  }

  override close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner.detach(this);
  }

  /** For the owner: the device is closed under this port. */
  shut(): void {
    this.#closed = true;
  }

  deliver(batch: FrameBatch): void {
    if (!this.#closed) this.#onFrames?.(batch);
  }

  linkState(up: boolean): void {
    if (!this.#closed) this.#onLinkState?.(up);
  }
}
