// A segment for tests: hosts with an ArpEndpoint each on a memory switch in virtual time, and a tap that sees all frames.
import {
  emitEthernetHeader,
  EthernetView,
  EtherType,
  Ipv4Address,
  MacAddress,
  MemorySwitch,
  SeededRandom,
  VirtualClock,
  type MemoryPort,
} from '@rfsis/link';
import {
  ArpEndpoint,
  ArpOperation,
  emitArp,
  parseArp,
  type AddressConflict,
  type ArpEndpointOptions,
  type ArpPacket,
  type UnresolvedNeighbor,
} from '../src/index.js';

export const ip = (text: string): Ipv4Address => Ipv4Address.parse(text);
export const mac = (text: string): MacAddress => MacAddress.parse(text);

export const IP_A = ip('10.77.0.11');
export const IP_B = ip('10.77.0.12');
export const IP_C = ip('10.77.0.13');
export const SERVICE = ip('10.77.0.10');
export const NOBODY = ip('10.77.0.99');
export const ANY = ip('0.0.0.0');
export const MAC_A = mac('02:00:00:00:00:0a');
export const MAC_B = mac('02:00:00:00:00:0b');
export const MAC_C = mac('02:00:00:00:00:0c');
/** A host that is no endpoint: its frames are written by hand. */
export const MAC_X = mac('02:00:00:00:00:66');

/** Hexadecimal text, spaces allowed, to octets. */
export function octets(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replace(/\s+/g, ''), 'hex'));
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** An untagged IPv4 frame to nowhere yet: header, then `octets` payload octets of an IPv4 header with that source. */
export function ipv4Frame(host: { mac: MacAddress }, source: Ipv4Address, marker = 0): Uint8Array {
  const frame = new Uint8Array(60);
  emitEthernetHeader(frame, 0, 0, host.mac.value, EtherType.ipv4);
  frame[14] = 0x45;
  source.writeTo(frame, 26);
  frame[59] = marker;
  return frame;
}

/** A frame as the tap saw it. */
export interface SeenFrame {
  readonly atMs: number;
  readonly source: string;
  readonly destination: string;
  readonly etherType: number;
  readonly octets: Uint8Array;
  readonly arp: ArpPacket | undefined;
}

export interface Host {
  readonly port: MemoryPort;
  readonly mac: MacAddress;
  readonly arp: ArpEndpoint;
  readonly conflicts: AddressConflict[];
  readonly unresolved: UnresolvedNeighbor[];
  /** Frames to this host that are no ARP. */
  readonly data: Uint8Array[];
}

export type HostOptions = Partial<ArpEndpointOptions> & { readonly address?: Ipv4Address };

export class Segment {
  readonly clock = new VirtualClock();
  readonly switch: MemorySwitch;
  /** Everything any port has sent, in order. */
  readonly seen: SeenFrame[] = [];
  #stranger: MemoryPort | undefined;

  constructor(latencyMs = 0.05) {
    this.switch = new MemorySwitch({ clock: this.clock, latencyMs });
  }

  host(macAddress: MacAddress, options: HostOptions = {}): Host {
    const { address, ...rest } = options;
    const port = this.port(macAddress);
    const conflicts: AddressConflict[] = [];
    const unresolved: UnresolvedNeighbor[] = [];
    const data: Uint8Array[] = [];
    const arp = new ArpEndpoint({
      device: port,
      clock: this.clock,
      random: new SeededRandom(macAddress.value),
      onConflict: (conflict) => conflicts.push(conflict),
      onUnresolved: (neighbor) => unresolved.push(neighbor),
      ...rest,
    });
    const view = new EthernetView();
    port.open((batch) => {
      for (let index = 0; index < batch.count; index++) {
        const offset = batch.offset(index);
        const length = batch.length(index);
        if (view.read(batch.bytes, offset, length) !== undefined) continue;
        if (view.etherType === EtherType.arp) {
          arp.receive(batch.bytes, view.payloadOffset, offset + length, view.source);
        } else if (view.destination === macAddress.value) data.push(batch.frame(index).slice());
      }
    });
    if (address !== undefined) arp.addAddress(address);
    return { port, mac: macAddress, arp, conflicts, unresolved, data };
  }

  /** A port whose transmissions are recorded. */
  port(macAddress: MacAddress): MemoryPort {
    const port = this.switch.port({ mac: macAddress });
    const send = port.send.bind(port);
    port.send = (frame: Uint8Array, length?: number) => {
      const taken = send(frame, length);
      if (taken) this.#record(frame.slice(0, length));
      return taken;
    };
    return port;
  }

  /** Sends an ARP packet from the hand-written host. */
  inject(
    packet: ArpPacket,
    destination: MacAddress = MacAddress.BROADCAST,
    source: MacAddress = MAC_X,
  ): void {
    this.#stranger ??= this.port(MAC_X);
    const frame = new Uint8Array(60);
    emitEthernetHeader(frame, 0, destination.value, source.value, EtherType.arp);
    emitArp(frame, 14, packet);
    this.#stranger.send(frame);
  }

  /** ARP packets sent by `host` (or anybody), oldest first. */
  arpFrom(host?: { mac: MacAddress }): (SeenFrame & { readonly arp: ArpPacket })[] {
    return this.seen.flatMap((frame) =>
      frame.arp !== undefined && (host === undefined || frame.source === host.mac.toString())
        ? [{ ...frame, arp: frame.arp }]
        : [],
    );
  }

  /** Times at which `host` sent ARP packets. */
  timesOf(host: { mac: MacAddress }): number[] {
    return this.arpFrom(host).map((frame) => frame.atMs);
  }

  forgetSeen(): void {
    this.seen.length = 0;
  }

  #record(octetsSent: Uint8Array): void {
    const view = new EthernetView();
    view.read(octetsSent, 0, octetsSent.length);
    this.seen.push({
      atMs: this.clock.now(),
      source: MacAddress.fromNumber(view.source).toString(),
      destination: MacAddress.fromNumber(view.destination).toString(),
      etherType: view.etherType,
      octets: octetsSent,
      arp: view.etherType === EtherType.arp ? parseArp(octetsSent, view.payloadOffset) : undefined,
    });
  }
}

const BROADCAST = 'ff:ff:ff:ff:ff:ff';
export { BROADCAST as BROADCAST_TEXT };

export function request(
  senderMac: MacAddress,
  senderIp: Ipv4Address,
  targetIp: Ipv4Address,
  targetMac: MacAddress = MacAddress.ZERO,
): ArpPacket {
  return { operation: ArpOperation.request, senderMac, senderIp, targetMac, targetIp };
}

export function reply(
  senderMac: MacAddress,
  senderIp: Ipv4Address,
  targetMac: MacAddress,
  targetIp: Ipv4Address,
): ArpPacket {
  return { operation: ArpOperation.reply, senderMac, senderIp, targetMac, targetIp };
}
