// The last look at a frame before it leaves: an IPv4 frame whose source is no address of ours (any more) does not.
//
// The IPv4 layer checks the source of what it makes. But between making and sending time can pass: frames wait for ARP.
// After an address has been given up, at a change of role, nothing may leave on its behalf, wherever it has waited.
import {
  ETHERNET_HEADER_OCTETS,
  EtherType,
  type LinkDevice,
  type MacAddress,
  readU16,
  readU32,
} from '@rfsis/link';

const TYPE = 12;
const IPV4_SOURCE = ETHERNET_HEADER_OCTETS + 12;

/** The sending side of a device, with the guard in it. */
export class SourceGuard {
  readonly #device: LinkDevice;
  readonly #owns: (address: number) => boolean;
  readonly #onRevoked: () => void;

  /**
   * @param owns whether a 32-bit address is ours at this moment
   * @param onRevoked is called for each frame that is stopped
   */
  constructor(device: LinkDevice, owns: (address: number) => boolean, onRevoked: () => void) {
    this.#device = device;
    this.#owns = owns;
    this.#onRevoked = onRevoked;
  }

  get mac(): MacAddress {
    return this.#device.mac;
  }

  get mtu(): number {
    return this.#device.mtu;
  }

  /** As {@link LinkDevice.send}. */
  send(frame: Uint8Array, length: number = frame.length): boolean {
    if (readU16(frame, TYPE) === EtherType.ipv4 && !this.#owns(readU32(frame, IPV4_SOURCE))) {
      this.#onRevoked();
      return false;
    }
    return this.#device.send(frame, length);
  }
}
