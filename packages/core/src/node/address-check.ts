// Is the service address free? A node that joins asks before it may claim, and tells the peer from a stranger.
import { PROBE_FAST, type ArpEndpoint, type ArpTask, type ProbeResult } from '@rfsis/arp';
import type { Clock, Ipv4Address, MacAddress, Timer } from '@rfsis/link';

/** Options of {@link AddressCheck}. */
export interface AddressCheckOptions {
  readonly arp: ArpEndpoint;
  readonly clock: Clock;
  readonly address: Ipv4Address;
  /** How long a holder has to show that it is the peer, in milliseconds. */
  readonly graceMs: number;
  /** The peer's MAC as an authentic beat gave it. */
  readonly peerMac: () => MacAddress | undefined;
  readonly onFree: () => void;
  /** Somebody who is not the peer holds the address, and did so twice. The check goes on all the same. */
  readonly onTaken: (holder: MacAddress) => void;
}

/** Time between two rounds while somebody else holds the address or nothing can be sent, in milliseconds. */
const RETRY_MS = 200;

/** Probes for an address until it is free. */
export class AddressCheck {
  readonly #options: AddressCheckOptions;
  #task: ArpTask | undefined;
  #timer: Timer | undefined;
  /** Had the address in the round before, and is not known to be the peer. */
  #suspect: MacAddress | undefined;

  constructor(options: AddressCheckOptions) {
    this.#options = options;
  }

  start(): void {
    this.stop();
    this.#suspect = undefined;
    this.#probe();
  }

  stop(): void {
    this.#task?.cancel();
    this.#timer?.cancel();
  }

  #probe(): void {
    const { arp, address } = this.#options;
    this.#task = arp.probe(address, PROBE_FAST, (result) => {
      this.#judge(result);
    });
  }

  #judge(result: ProbeResult): void {
    const { clock, graceMs, onFree } = this.#options;
    if (result === 'free') {
      onFree();
    } else if (result === 'unsent') {
      this.#retry();
    } else if (result.trusted || result.by === 'prober') {
      // The peer, as main or joining as we are; what it says in its beats decides, not ARP.
      onFree();
    } else {
      this.#timer = clock.setTimer(graceMs, () => {
        this.#judgeHolder(result.conflict);
      });
    }
  }

  #judgeHolder(holder: MacAddress): void {
    const { peerMac, onFree, onTaken } = this.#options;
    if (peerMac()?.equals(holder) === true) {
      onFree();
      return;
    }
    if (this.#suspect?.equals(holder) !== true) {
      // It may have been the peer, which died before it was heard.
      this.#suspect = holder;
      this.#probe();
      return;
    }
    onTaken(holder);
    this.#retry();
  }

  #retry(): void {
    this.#timer = this.#options.clock.setTimer(RETRY_MS, () => {
      this.#probe();
    });
  }
}
