// A segment in memory and in virtual time, with the two places of a pair on it. Long scenarios with faults and clients are
// those of the simulator; here it is about the node itself.
import { ArpEndpoint } from '@rfsis/arp';
import {
  Ipv4Address,
  MemorySwitch,
  SeededRandom,
  VirtualClock,
  type LinkDevice,
  type MacAddress,
  type MemoryPort,
} from '@rfsis/link';
import { parseConfiguration } from '../../src/config/configuration.js';
import { createLogger } from '../../src/log.js';
import type { Application } from '../../src/node/application.js';
import { RfsisNode } from '../../src/node/rfsis-node.js';
import { macOf } from '../frames.js';

export const SERVICE = '10.77.0.10';

/** One line of a log. */
export interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** One process of a node, with what it plugs into and what it logged. */
export interface Place {
  readonly node: RfsisNode;
  readonly port: MemoryPort;
  readonly log: LogLine[];
  /** Lines of one event. */
  logged(event: string): LogLine[];
}

/** How a place differs from the usual. */
export interface PlaceOptions {
  readonly configuration?: object;
  readonly application?: Application;
  readonly control?: boolean;
  readonly wrapDevice?: (device: LinkDevice) => LinkDevice;
}

export class Segment {
  readonly clock = new VirtualClock();
  readonly network = new MemorySwitch({ clock: this.clock });
  #stations = 0;
  #processes = 0;

  newMac(): MacAddress {
    return macOf(++this.#stations);
  }

  /** A process that prefers to be main, 10.77.0.11. */
  alpha(options: PlaceOptions = {}): Place {
    return this.#place('main', '10.77.0.11', '10.77.0.12', options);
  }

  /** Its peer, 10.77.0.12, which prefers to be backup. */
  beta(options: PlaceOptions = {}): Place {
    return this.#place('backup', '10.77.0.12', '10.77.0.11', options);
  }

  /** Alpha as main and beta as its backup. */
  async pair(
    options: PlaceOptions = {},
    betaOptions: PlaceOptions = options,
  ): Promise<{ alpha: Place; beta: Place }> {
    const [alpha, beta] = [this.alpha(options), this.beta(betaOptions)];
    const started = Promise.all([alpha.node.start(), beta.node.start()]);
    await this.run(1000);
    await started;
    return { alpha, beta };
  }

  /** A host that answers ARP for one address. */
  host(address: string): { arp: ArpEndpoint; port: MemoryPort } {
    const port = this.network.port({ mac: this.newMac() });
    const arp = new ArpEndpoint({ device: port, clock: this.clock, random: new SeededRandom(7) });
    port.open((batch) => {
      for (let index = 0; index < batch.count; index++) {
        const offset = batch.offset(index);
        const isArp = batch.bytes[offset + 12] === 0x08 && batch.bytes[offset + 13] === 0x06;
        if (isArp) arp.receive(batch.bytes, offset + 14, offset + batch.length(index), 0);
      }
    });
    arp.addAddress(Ipv4Address.parse(address));
    return { arp, port };
  }

  run(durationMs: number): Promise<void> {
    return this.clock.advanceAsync(durationMs);
  }

  /** Cuts a port off from all there are, in both directions. */
  isolate(port: MemoryPort, from: readonly MemoryPort[]): void {
    for (const other of from) {
      this.network.cut(port, other);
      this.network.cut(other, port);
    }
  }

  #place(role: string, nodeAddress: string, peerAddress: string, options: PlaceOptions): Place {
    const port = this.network.port({ mac: this.newMac(), name: 'eth0' });
    const log: LogLine[] = [];
    const node = new RfsisNode({
      configuration: parseConfiguration({
        role,
        interface: 'eth0',
        serviceAddress: `${SERVICE}/24`,
        nodeAddress,
        peerAddress,
        ...options.configuration,
      }),
      device: options.wrapDevice?.(port) ?? port,
      application: options.application ?? (() => undefined),
      clock: this.clock,
      random: new SeededRandom(++this.#processes),
      log: createLogger({
        level: 'debug',
        clock: this.clock,
        destination: { write: (line) => log.push(JSON.parse(line) as LogLine) },
      }),
      ...(options.control === undefined ? {} : { control: options.control }),
    });
    return { node, port, log, logged: (event) => log.filter((line) => line.event === event) };
  }
}
