// Random and mutated frames into a whole stack: it does not throw, its memory is bounded, every frame is accounted for.
// RFSIS_FUZZ_FRAMES sets how many, RFSIS_FUZZ_SEED which.
import {
  addToSum,
  ChecksumState,
  finishChecksum,
  Ipv4Address,
  randomBelow,
  SeededRandom,
  writeU16,
} from '@rfsis/link';
import { emitEthernetHeader, EtherType } from '@rfsis/link';
import { expect, it } from 'vitest';
import type { StackCounters } from '../src/index.js';
import { createDgram } from '../src/dgram.js';
import { DEFAULT_STACK_LIMITS } from '../src/options.js';
import { emitIcmp } from '../src/icmp/message.js';
import { emitUdp } from '../src/udp/datagram.js';
import { bench, brokenEquations, cidr, ip, ipv4Frame, mac } from './network.js';

const FRAMES = Number(process.env['RFSIS_FUZZ_FRAMES'] ?? 100_000);
const SEED = Number(process.env['RFSIS_FUZZ_SEED'] ?? 1);
const BATCH = 500;

const random = new SeededRandom(SEED);
const below = (limit: number): number => randomBelow(random, limit);
const oneIn = (count: number): boolean => below(count) === 0;
function pick<T>(items: readonly T[]): T {
  return items[below(items.length)] as T;
}
function octets(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return bytes;
}

const ADDRESSES = [
  '10.0.0.1',
  '10.0.0.1',
  '10.0.0.1',
  '10.0.0.2',
  '10.0.0.2',
  '10.0.0.3',
  '10.0.0.10',
  '10.0.0.255',
  '255.255.255.255',
  '224.0.0.1',
  '239.1.2.3',
  '127.0.0.1',
  '0.0.0.0',
  '240.0.0.1',
  '8.8.8.8',
].map(ip);
const PORTS = [7, 7, 8, 9, 5000, 0, 65_535];

/** A payload of some sense, for the addresses given. */
function payloadOf(
  protocol: number,
  source: (typeof ADDRESSES)[0],
  destination: (typeof ADDRESSES)[0],
  sent: Uint8Array[],
) {
  if (protocol === 17 && !oneIn(20)) {
    const payload = octets(below(oneIn(50) ? 3000 : 64));
    const bytes = new Uint8Array(8 + payload.length);
    emitUdp(bytes, 0, source, destination, {
      sourcePort: pick(PORTS),
      destinationPort: pick(PORTS),
      payload,
    });
    if (oneIn(10)) writeU16(bytes, 6, 0);
    if (oneIn(10)) writeU16(bytes, 4, below(100));
    return bytes;
  }
  if (protocol === 1 && !oneIn(20)) {
    // Quotes what the stack has sent, so that errors are believed now and then.
    const quoted = sent.length > 0 ? pick(sent).slice(14, 14 + 28 + below(20)) : octets(40);
    const data = oneIn(3) ? octets(below(100)) : quoted;
    const bytes = new Uint8Array(8 + data.length);
    const type = pick([0, 3, 3, 3, 4, 5, 8, 8, 11, 12, 13, below(256)]);
    emitIcmp(bytes, 0, { type, code: below(6), rest: pick([0, below(600), below(3000)]), data });
    return bytes;
  }
  return octets(below(100));
}

let last = ipv4Frame(octets(8));

function mutate(frame: Uint8Array): Uint8Array {
  let mutated = frame;
  if (oneIn(4)) mutated = mutated.slice(0, below(mutated.length + 1));
  if (oneIn(8)) mutated = Uint8Array.of(...mutated, ...octets(below(50)));
  for (let count = below(4); count > 0 && mutated.length > 0; count--) {
    mutated[below(mutated.length)] = below(256);
  }
  // Often enough the header must be believed, so that what is behind it is looked at.
  if (mutated.length >= 34 && oneIn(2)) {
    const headerOctets = Math.max(20, ((mutated[14] ?? 0) & 15) * 4);
    if (14 + headerOctets <= mutated.length) {
      writeU16(mutated, 24, 0);
      writeU16(mutated, 24, finishChecksum(addToSum(0, mutated, 14, headerOctets)));
    }
  }
  return mutated;
}

/** An ICMP error about a datagram that the stack has sent: right in every detail. */
function errorAbout(frame: Uint8Array): Uint8Array {
  const data = frame.slice(14, 14 + 28 + below(30));
  const bytes = new Uint8Array(8 + data.length);
  emitIcmp(bytes, 0, { type: pick([3, 3, 11, 12]), code: pick([0, 1, 3, 4, 4]), rest: below(1500), data });
  return ipv4Frame(bytes, { protocol: 1, destination: Ipv4Address.fromOctets(frame, 26) });
}

/** Fragments that are still to come. */
const queue: Uint8Array[] = [];

/** A datagram in fragments, in any order; now and then one of them is wrong. */
function queueFragments(): void {
  const protocol = pick([17, 1]);
  const payload = payloadOf(protocol, ip('10.0.0.2'), ip('10.0.0.1'), []);
  const identification = below(0x1_0000);
  const step = 8 * (1 + below(20));
  for (let begin = 0; begin < payload.length; begin += step) {
    const frame = ipv4Frame(payload.subarray(begin, begin + step), {
      protocol,
      identification,
      moreFragments: begin + step < payload.length,
      fragmentOffset: begin,
    });
    queue.splice(below(queue.length + 1), 0, oneIn(20) ? mutate(frame) : frame);
  }
}

function frameOf(sent: Uint8Array[]): Uint8Array {
  if (oneIn(100)) queueFragments();
  const queued = oneIn(2) ? queue.pop() : undefined;
  if (queued !== undefined) return queued;
  if (sent.length > 0 && oneIn(30)) return errorAbout(pick(sent));
  if (oneIn(20)) return octets(below(oneIn(10) ? 2000 : 80));
  if (oneIn(20)) {
    const frame = octets(60);
    emitEthernetHeader(
      frame,
      0,
      mac(1).value,
      mac(2).value,
      pick([EtherType.arp, EtherType.ipv4, below(0x1_0000)]),
    );
    return frame;
  }
  const [source, destination] = [pick(ADDRESSES), oneIn(3) ? pick(ADDRESSES) : ip('10.0.0.1')];
  const protocol = pick([17, 17, 17, 1, 1, 6, below(256)]);
  const fragment = oneIn(3);
  const frame = ipv4Frame(
    payloadOf(protocol, source, destination, sent),
    {
      source,
      destination,
      protocol,
      identification: below(fragment ? 40 : 0x1_0000),
      moreFragments: fragment && oneIn(2),
      fragmentOffset: fragment ? pick([0, 0, 8, 16, 24, 1480, 65_528, below(8192) * 8]) : 0,
      dontFragment: oneIn(2),
      timeToLive: below(256),
    },
    oneIn(10) ? mac(below(4)) : mac(1),
  );
  if (oneIn(20)) frame.fill(0xff, 0, 6);
  // The network doubles some.
  if (oneIn(30)) return last;
  last = oneIn(2) ? mutate(frame) : frame;
  return last;
}

it(`survives ${FRAMES} frames (seed ${SEED})`, { timeout: 60_000 + FRAMES }, () => {
  const host = bench();
  const { stack, device, clock } = host;
  stack.addAddress(cidr('10.0.0.10/24'));
  stack.udp.bind({ port: 7, onDatagram: (datagram) => datagram.reply(datagram.payload) });
  stack.udp.bind({ port: 9, address: ip('10.0.0.10'), onDatagram: () => undefined });
  const connected = stack.udp.bind({ port: 5000, onError: () => undefined });
  connected.connect(ip('10.0.0.2'), 7);
  const socket = createDgram(stack).createSocket('udp4');
  socket.on('error', () => undefined);
  socket.on('message', (message, remote) => {
    socket.send(message, remote.port, remote.address, () => undefined);
  });
  socket.bind(8);
  clock.advance(0);
  let handed = 0;
  let sent: Uint8Array[] = [];
  let memory = 0;
  while (handed < FRAMES) {
    const frames = Array.from({ length: Math.min(BATCH, FRAMES - handed) }, () => frameOf(sent));
    device.receive(
      frames,
      pick([ChecksumState.unknown, ChecksumState.unknown, ChecksumState.valid, ChecksumState.partial]),
    );
    handed += frames.length;
    // Nobody answers ARP here.
    stack.arp.learn(ip('10.0.0.2'), mac(2));
    stack.arp.learn(ip('10.0.0.3'), mac(3));
    connected.send(octets(below(1000)));
    sent = device.sent.filter((frame) => frame.length >= 42 && frame[23] === 17).slice(-50);
    device.sent = [];
    clock.advance(below(2000));
    memory = Math.max(memory, stack.ipv4.reassembler.octets);
    expect(stack.ipv4.reassembler.datagrams).toBeLessThanOrEqual(DEFAULT_STACK_LIMITS.reassemblyDatagrams);
    expect(stack.arp.neighbors().length).toBeLessThanOrEqual(1024);
    expect(stack.ipv4.pathMtu.size).toBeLessThanOrEqual(DEFAULT_STACK_LIMITS.pathMtuEntries);
  }
  expect(memory).toBeLessThanOrEqual(DEFAULT_STACK_LIMITS.reassemblyOctets);
  expect(stack.counters.ethernet.rxFrames).toBe(handed);
  expect(brokenEquations(stack.counters)).toEqual([]);
  if (FRAMES >= 100_000) expectEveryPartReached(stack.counters);
  stack.close();
  expect(clock.pending).toBe(0);
  expect(stack.ipv4.reassembler.octets).toBe(0);
});

/** Otherwise the frames would prove little. */
function expectEveryPartReached({ ipv4, icmp, udp }: StackCounters): void {
  const rare = Object.entries({ ...ipv4.rxDrops, ...icmp.rxDrops, ...udp.rxDrops, ...ipv4.reassembly })
    .filter(([name, count]) => count === 0 && !UNREACHED.includes(name))
    .map(([name]) => name);
  expect(rare).toEqual([]);
  const { rxReassembled } = ipv4;
  const { rxErrors, rxPathMtuReductions } = icmp;
  const outcomes = { rxReassembled, rxErrors, rxPathMtuReductions, rxDelivered: udp.rxDelivered };
  expect(Object.entries(outcomes).filter(([, count]) => count === 0)).toEqual([]);
}

/** Needs a script, not chance: too many pieces, memory exhausted, address removed, no listener. */
const UNREACHED = ['fragment-runs', 'evicted', 'abandoned', 'unread'];
