// What the tests of this package share: hosts on a switch in memory, and a device whose other end is the test.
import {
  ChecksumState,
  FrameBatch,
  type FramesHandler,
  Ipv4Address,
  Ipv4Cidr,
  type LinkDevice,
  type LinkStateHandler,
  MacAddress,
  MemorySwitch,
  newLinkCounters,
  NO_OFFLOAD,
  SeededRandom,
  VirtualClock,
} from '@rfsis/link';
import { emitEthernetHeader, EtherType } from '@rfsis/link';
import { ArpOperation, emitArp, parseArp } from '@rfsis/arp';
import { Stack, type StackCounters, type StackOptions } from '../src/index.js';
import { emitIpv4, type Ipv4Header } from '../src/ipv4/packet.js';

export const ip = (text: string): Ipv4Address => Ipv4Address.parse(text);
export const cidr = (text: string): Ipv4Cidr => Ipv4Cidr.parse(text);
export const mac = (number: number): MacAddress => MacAddress.fromNumber(0x0200_5e00_0000 + number);

/** Octets of "de ad be ef". */
export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'));

/** A device without a network: the test hands in frames and looks at what was sent. */
export class TestDevice implements LinkDevice {
  readonly name = 'test0';
  readonly mac = mac(1);
  readonly mtu: number;
  readonly offload = NO_OFFLOAD;
  up = true;
  readonly counters = newLinkCounters();
  /** Copies of all frames sent. */
  sent: Uint8Array[] = [];
  closed = false;
  #onFrames: FramesHandler | undefined;

  constructor(mtu = 1500) {
    this.mtu = mtu;
  }

  open(onFrames: FramesHandler, _onLinkState?: LinkStateHandler): void {
    this.#onFrames = onFrames;
  }

  send(frame: Uint8Array, length: number = frame.length): boolean {
    if (!this.up) return false;
    this.sent.push(frame.slice(0, length));
    return true;
  }

  flush(): void {
    // nothing is gathered
  }

  close(): void {
    this.closed = true;
  }

  /** Hands frames in, and overwrites them afterwards. */
  receive(frames: readonly Uint8Array[], checksum: ChecksumState = ChecksumState.unknown): void {
    const octets = frames.reduce((sum, frame) => sum + frame.length, 0);
    const batch = new FrameBatch(new Uint8Array(octets), frames.length);
    let offset = 0;
    for (const frame of frames) {
      batch.bytes.set(frame, offset);
      batch.add(offset, frame.length, checksum);
      offset += frame.length;
    }
    this.#onFrames?.(batch);
    batch.bytes.fill(0xdb);
  }
}

/** A stack with the test as its network. */
export interface Bench {
  readonly clock: VirtualClock;
  readonly device: TestDevice;
  readonly stack: Stack;
  /** The neighbour that the test plays. */
  readonly peer: Ipv4Address;
  /** Takes the frames sent since the last call, ARP left out. */
  readonly take: () => Uint8Array[];
  /** An IPv4 datagram from the peer to the stack. */
  readonly receive: (payload: Uint8Array, header?: Partial<Ipv4Header>, checksum?: ChecksumState) => void;
}

/** The stack is 10.0.0.1/24, the peer 10.0.0.2; ARP is settled. */
export function bench(options: Partial<StackOptions> & { readonly mtu?: number } = {}): Bench {
  const clock = new VirtualClock();
  const device = new TestDevice(options.mtu);
  const stack = new Stack({ device, clock, random: new SeededRandom(7), ...options });
  stack.open();
  stack.addAddress(cidr('10.0.0.1/24'));
  const peer = ip('10.0.0.2');
  stack.arp.learn(peer, mac(2));
  const take = (): Uint8Array[] => {
    const frames = device.sent.filter((frame) => frame[12] !== 8 || frame[13] !== 6);
    device.sent = [];
    return frames;
  };
  const receive: Bench['receive'] = (payload, header = {}, checksum) => {
    device.receive([ipv4Frame(payload, { source: peer, ...header })], checksum);
  };
  return { clock, device, stack, peer, take, receive };
}

/** An Ethernet frame with an IPv4 datagram, by default from 10.0.0.2 to 10.0.0.1. */
export function ipv4Frame(
  payload: Uint8Array,
  header: Partial<Ipv4Header> = {},
  destination: MacAddress = mac(1),
): Uint8Array {
  const frame = new Uint8Array(34 + payload.length);
  emitEthernetHeader(frame, 0, destination.value, mac(2).value, EtherType.ipv4);
  emitIpv4(frame, 14, {
    typeOfService: 0,
    totalLength: 20 + payload.length,
    identification: 1,
    dontFragment: false,
    moreFragments: false,
    fragmentOffset: 0,
    timeToLive: 64,
    protocol: 17,
    source: ip('10.0.0.2'),
    destination: ip('10.0.0.1'),
    ...header,
  });
  frame.set(payload, 34);
  return frame;
}

/** The stack's neighbour answers the ARP requests that the stack has sent. */
export function answerArp({ device }: Pick<Bench, 'device'>, senderMac: MacAddress = mac(2)): number {
  let answered = 0;
  for (const frame of device.sent) {
    if (frame[12] !== 8 || frame[13] !== 6) continue;
    const request = parseArp(frame, 14);
    if (request?.operation !== ArpOperation.request) continue;
    const reply = new Uint8Array(60);
    emitEthernetHeader(reply, 0, device.mac.value, senderMac.value, EtherType.arp);
    emitArp(reply, 14, {
      operation: ArpOperation.reply,
      senderMac,
      senderIp: request.targetIp,
      targetMac: request.senderMac,
      targetIp: request.senderIp,
    });
    device.receive([reply]);
    answered++;
  }
  return answered;
}

/** Two hosts, 10.0.0.1 and 10.0.0.2, on one switch. */
export interface Pair {
  readonly clock: VirtualClock;
  readonly lan: MemorySwitch;
  readonly a: Stack;
  readonly b: Stack;
}

export function pair(options: Partial<StackOptions> & { readonly mtu?: number } = {}): Pair {
  const clock = new VirtualClock();
  const lan = new MemorySwitch({ clock });
  const host = (number: number): Stack => {
    const device = lan.port({ mac: mac(number), ...(options.mtu === undefined ? {} : { mtu: options.mtu }) });
    const stack = new Stack({ device, clock, random: new SeededRandom(number), ...options });
    stack.open();
    stack.addAddress(cidr(`10.0.0.${number}/24`));
    return stack;
  };
  return { clock, lan, a: host(1), b: host(2) };
}

const sum = (record: Record<string, number>): number =>
  Object.values(record).reduce((total, each) => total + each, 0);

/** Every equation that the docstrings of the counters promise; what does not hold is returned in words. */
export function brokenEquations({ ethernet, ipv4, icmp, udp, arp }: StackCounters): string[] {
  const broken: string[] = [];
  const expect = (name: string, left: number, right: number): void => {
    if (left !== right) broken.push(`${name}: ${left} !== ${right}`);
  };
  expect('ethernet', ethernet.rxFrames, ethernet.rxArp + ethernet.rxIpv4 + sum(ethernet.rxDrops));
  expect('arp', arp.received, arp.accepted + sum(arp.rxDrops));
  expect('arp from ethernet', ethernet.rxArp, arp.received);
  expect('ipv4 from ethernet', ipv4.rxPackets, ethernet.rxIpv4 + ipv4.rxLoopback);
  expect(
    'ipv4',
    ipv4.rxPackets + ipv4.rxReassembled,
    ipv4.rxFragments + ipv4.rxDelivered + sum(ipv4.rxDrops),
  );
  expect('delivered', ipv4.rxDelivered, icmp.rxMessages + udp.rxDatagrams);
  expect(
    'icmp',
    icmp.rxMessages,
    icmp.rxEchoRequests + icmp.rxEchoReplies + icmp.rxErrors + sum(icmp.rxDrops),
  );
  expect('udp', udp.rxDatagrams, udp.rxDelivered + sum(udp.rxDrops));
  return broken;
}
