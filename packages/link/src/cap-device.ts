// A LinkDevice on an interface of the operating system, by libpcap through the optional module `cap`. Linux only.
import { loadCap, newCapture, type CapCapture, type CapModule } from './cap-module.js';
import type { Clock, Timer } from './clock.js';
import {
  FrameBatch,
  NO_OFFLOAD,
  newLinkCounters,
  type FramesHandler,
  type LinkDevice,
  type LinkOffload,
  type LinkStateHandler,
} from './device.js';
import { LinkError } from './errors.js';
import { ETHERNET_HEADER_OCTETS, EtherType } from './ethernet.js';
import type { MacAddress } from './mac-address.js';
import {
  SYSFS_NET,
  findNetworkInterface,
  readNetworkInterfaceState,
  type NetworkInterfaceState,
} from './network-interface.js';
import { readU16, readU48 } from './octets.js';

/** The longest frame libpcap is told to give: a super-frame of segmentation offload. */
const RECEIVE_OCTETS = 65_536 + ETHERNET_HEADER_OCTETS;
/** The clock is read once in so many frames of one turn, a power of two. */
const BUDGET_CHECK_FRAMES = 16;
/** What a failed send says of an interface that is switched off or removed; anything else (no buffers) passes. */
const GONE = /is down|no such device/i;

/** Options of {@link CapDevice}. */
export interface CapDeviceOptions {
  /** The interface's name, for example `eth0`. */
  readonly interfaceName: string;
  readonly clock: Clock;
  /**
   * Which frames to take, as a pcap filter expression; default `arp or ip`. Frames of our own are never taken, nor, unless
   * {@link CapDeviceOptions.promiscuous}, those for others. All of it runs in the kernel.
   */
  readonly filter?: string;
  /** Take frames for any destination, not only for our MAC address and for groups. Default false. */
  readonly promiscuous?: boolean;
  /**
   * Kernel memory for frames that wait, in octets; default 32 MiB. Where the interface merges segments, each frame takes
   * 64 KiB of it, however short it is: 32 MiB are 511 frames.
   */
  readonly bufferOctets?: number;
  /** How often the carrier is looked at, in milliseconds; default 100. */
  readonly linkPollMs?: number;
  /**
   * How long frames may keep the event loop in one turn, in milliseconds; default 50. What comes after that, except ARP, is
   * dropped and counted in `rxDropped` until the loop has turned: timers (and so heartbeats) live through a flood.
   */
  readonly turnBudgetMs?: number;
  /** For tests: stands in for the native module. @internal */
  readonly cap?: CapModule;
  /** For tests: stands in for `/sys/class/net`. @internal */
  readonly sysfs?: string;
}

/**
 * An Ethernet interface of Linux, seen past the kernel's IP stack. Frames from the same machine or hypervisor arrive as
 * super-frames of up to 64 KiB and with partial checksums; `cap` says nothing of either, nor how many frames the kernel
 * dropped for want of buffer: `rxDropped` counts only what was dropped here.
 */
export class CapDevice implements LinkDevice {
  readonly name: string;
  readonly mac: MacAddress;
  /** As it was when the device was made. */
  readonly mtu: number;
  readonly offload: LinkOffload = NO_OFFLOAD;
  readonly counters = newLinkCounters();
  readonly #options: CapDeviceOptions;
  readonly #clock: Clock;
  readonly #sysfs: string;
  readonly #macValue: number;
  readonly #longestFrame: number;
  readonly #turnBudgetMs: number;
  /** libpcap's side keeps a bare pointer to this memory: it lives as long as the device, and the device as the capture. */
  readonly #buffer = Buffer.alloc(RECEIVE_OCTETS);
  /** The same memory as no Buffer, so that consumers can copy frames with `slice()`. */
  readonly #bytes = new Uint8Array(this.#buffer.buffer, this.#buffer.byteOffset, this.#buffer.length);
  readonly #batch = new FrameBatch(this.#bytes);
  #cap: CapModule | undefined;
  #capture: CapCapture | undefined;
  #onFrames: FramesHandler | undefined;
  #onLinkState: LinkStateHandler | undefined;
  #state: 'new' | 'open' | 'closed' = 'new';
  #link: NetworkInterfaceState | undefined;
  #up: boolean;
  /** The capture does not work any more, though nothing told us so: the interface was switched off, or is another one. */
  #stale = false;
  #watchTimer: Timer | undefined;
  #turnFrames = 0;
  #turnStartMs = 0;
  #shedding = false;

  /** @throws {LinkError} `RFSIS_LINK_NO_INTERFACE` when there is no such Ethernet interface */
  constructor(options: CapDeviceOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#sysfs = options.sysfs ?? SYSFS_NET;
    this.#turnBudgetMs = options.turnBudgetMs ?? 50;
    const { name, mac, mtu } = findNetworkInterface(options.interfaceName, this.#sysfs);
    this.name = name;
    this.mac = mac;
    this.mtu = mtu;
    this.#macValue = mac.value;
    this.#longestFrame = mtu + ETHERNET_HEADER_OCTETS;
    this.#link = readNetworkInterfaceState(name, this.#sysfs);
    this.#up = this.#link?.up === true;
  }

  get up(): boolean {
    return this.#up && this.#state !== 'closed';
  }

  /** What an operator should know; to be logged after {@link CapDevice.open}. Often empty. */
  get warnings(): readonly string[] {
    return this.#cap?.abortsOnInterfaceDown === true
      ? [
          `switching ${this.name} off ("ip link set ${this.name} down"; not a pulled cable) aborts this process: ` +
            'this build of "cap" contains assertions; CXXFLAGS=-DNDEBUG npm rebuild cap',
        ]
      : [];
  }

  /**
   * @throws {LinkError} `RFSIS_LINK_NO_CAP`, `RFSIS_LINK_NO_PRIVILEGE`, `RFSIS_LINK_NO_INTERFACE`,
   * `RFSIS_LINK_OPEN_FAILED` or `RFSIS_LINK_STATE`; each says what to do
   */
  open(onFrames: FramesHandler, onLinkState?: LinkStateHandler): void {
    if (this.#state !== 'new') {
      throw new LinkError('RFSIS_LINK_STATE', `${this.name}: the device is ${this.#state} already`);
    }
    this.#cap = this.#options.cap ?? loadCap();
    findNetworkInterface(this.name, this.#sysfs);
    const link = readNetworkInterfaceState(this.name, this.#sysfs);
    if (link?.enabled === false) {
      throw new LinkError(
        'RFSIS_LINK_OPEN_FAILED',
        `${this.name} is switched off: ip link set ${this.name} up`,
      );
    }
    this.#capture = this.#startCapture(this.#cap);
    this.#onFrames = onFrames;
    this.#onLinkState = onLinkState;
    this.#state = 'open';
    this.#link = link;
    this.#up = link?.up === true;
    this.#watchTimer = this.#clock.setTimer(this.#options.linkPollMs ?? 100, this.#watch);
  }

  send(frame: Uint8Array, length: number = frame.length): boolean {
    // Sending without an open capture would crash the process.
    if (
      !this.#up ||
      this.#capture === undefined ||
      length < ETHERNET_HEADER_OCTETS ||
      length > this.#longestFrame ||
      length > frame.length
    ) {
      this.counters.txDropped++;
      return false;
    }
    try {
      this.#capture.send(frame, length);
    } catch (error) {
      this.counters.txDropped++;
      if (GONE.test(firstLine(error))) this.#look(true);
      return false;
    }
    this.counters.txFrames++;
    this.counters.txOctets += length;
    return true;
  }

  flush(): void {
    // Frames are sent at once.
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#watchTimer?.cancel();
    this.#stopCapture();
  }

  #startCapture(cap: CapModule): CapCapture {
    const capture = newCapture(cap);
    const mac = this.mac.toString();
    const destination =
      this.#options.promiscuous === true ? '' : ` and (ether dst ${mac} or ether multicast)`;
    // The caller's expression comes last: the keyword "vlan" shifts the offsets of all that follows it.
    const filter = `not ether src ${mac}${destination} and (${this.#options.filter ?? 'arp or ip'})`;
    let linkType: string;
    try {
      linkType = capture.open(this.name, filter, this.#options.bufferOctets ?? 0x200_0000, this.#buffer);
    } catch (error) {
      throw openError(this.name, filter, error);
    }
    if (linkType !== 'ETHERNET') {
      capture.close();
      throw new LinkError(
        'RFSIS_LINK_NO_INTERFACE',
        `"${this.name}" gives frames of type ${linkType}, not Ethernet: name an Ethernet interface`,
      );
    }
    capture.on('packet', (octets) => {
      this.#receive(octets);
    });
    return capture;
  }

  #stopCapture(): void {
    this.#capture?.removeAllListeners('packet');
    this.#capture?.close();
    this.#capture = undefined;
  }

  #receive(octets: number): void {
    const bytes = this.#bytes;
    // The kernel's filter holds back what we sent, but not yet in the first instant of a capture.
    if (octets < ETHERNET_HEADER_OCTETS || readU48(bytes, 6) === this.#macValue) return;
    if (this.#isOverBudget() && readU16(bytes, 12) !== EtherType.arp) {
      this.counters.rxDropped++;
      return;
    }
    this.counters.rxFrames++;
    this.counters.rxOctets += octets;
    this.#batch.clear();
    this.#batch.add(0, octets);
    this.#onFrames?.(this.#batch);
  }

  /** `cap` hands over frames for as long as there are any, before it lets the event loop turn. */
  #isOverBudget(): boolean {
    if (this.#turnFrames === 0) {
      this.#turnStartMs = this.#clock.now();
      this.#clock.defer(this.#endTurn);
    } else if (!this.#shedding && (this.#turnFrames & (BUDGET_CHECK_FRAMES - 1)) === 0) {
      this.#shedding = this.#clock.now() - this.#turnStartMs > this.#turnBudgetMs;
    }
    this.#turnFrames++;
    return this.#shedding;
  }

  readonly #endTurn = (): void => {
    this.#turnFrames = 0;
    this.#shedding = false;
  };

  readonly #watch = (): void => {
    this.#look(false);
    if (this.#state === 'open') {
      this.#watchTimer = this.#clock.setTimer(this.#options.linkPollMs ?? 100, this.#watch);
    }
  };

  /** Looks at the interface. @param sending whether the caller is in the middle of something and must not be called back */
  #look(sending: boolean): void {
    const before = this.#link;
    const link = readNetworkInterfaceState(this.name, this.#sysfs);
    this.#link = link;
    // Switched off and on again between two looks: both times it is up, but the carrier has changed.
    const missed = before?.up === true && link?.up === true && before.carrierChanges !== link.carrierChanges;
    if (link?.enabled !== true || link.index !== before?.index || missed) this.#stale = true;
    const up = link?.up === true && (!this.#stale || (!sending && this.#restartCapture()));
    if (up === this.#up) return;
    this.#up = up;
    if (!sending) {
      this.#onLinkState?.(up);
      return;
    }
    this.#clock.defer(() => {
      if (this.#state === 'open' && this.#up === up) this.#onLinkState?.(up);
    });
  }

  /** @returns whether it works; if not, the next look tries again */
  #restartCapture(): boolean {
    this.#stopCapture();
    if (this.#cap === undefined) return false;
    try {
      // An interface of the same name with another address is not the one this device was made for.
      if (!findNetworkInterface(this.name, this.#sysfs).mac.equals(this.mac)) return false;
      this.#capture = this.#startCapture(this.#cap);
    } catch {
      return false;
    }
    this.#stale = false;
    return true;
  }
}

function openError(name: string, filter: string, cause: unknown): LinkError {
  const message = firstLine(cause);
  if (/not permitted|permission|CAP_NET_RAW/i.test(message)) {
    return new LinkError(
      'RFSIS_LINK_NO_PRIVILEGE',
      `${name}: this process may not capture frames: run it as root, or setcap cap_net_raw+ep $(readlink -f $(which node))`,
      { cause },
    );
  }
  if (/no such device/i.test(message)) {
    return new LinkError(
      'RFSIS_LINK_NO_INTERFACE',
      `no network interface "${name}" in the network namespace of this process`,
      { cause },
    );
  }
  if (/is not up/i.test(message)) {
    return new LinkError('RFSIS_LINK_OPEN_FAILED', `${name} is switched off: ip link set ${name} up`, {
      cause,
    });
  }
  if (/filter|syntax/i.test(message)) {
    return new LinkError(
      'RFSIS_LINK_OPEN_FAILED',
      `${name}: the capture filter "${filter}" is wrong: ${message}`,
      {
        cause,
      },
    );
  }
  return new LinkError('RFSIS_LINK_OPEN_FAILED', `${name} cannot be opened: ${message}`, { cause });
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? '';
}
