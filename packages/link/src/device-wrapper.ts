// The base of devices that are made around another one: what they do not change, they pass on.
import type { FramesHandler, LinkCounters, LinkDevice, LinkOffload, LinkStateHandler } from './device.js';
import type { MacAddress } from './mac-address.js';

/** Behaves in everything like the device inside. */
export abstract class DeviceWrapper implements LinkDevice {
  /** The device inside. */
  protected readonly device: LinkDevice;

  constructor(device: LinkDevice) {
    this.device = device;
  }

  get name(): string {
    return this.device.name;
  }
  get mac(): MacAddress {
    return this.device.mac;
  }
  get mtu(): number {
    return this.device.mtu;
  }
  get offload(): LinkOffload {
    return this.device.offload;
  }
  get up(): boolean {
    return this.device.up;
  }
  get counters(): Readonly<LinkCounters> {
    return this.device.counters;
  }

  open(onFrames: FramesHandler, onLinkState?: LinkStateHandler): void {
    this.device.open(onFrames, onLinkState);
  }

  send(frame: Uint8Array, length?: number): boolean {
    return this.device.send(frame, length);
  }

  flush(): void {
    this.device.flush();
  }

  close(): void {
    this.device.close();
  }
}
