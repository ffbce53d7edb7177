import { FrameBatch, MemorySwitch, SeededRandom, VirtualClock, randomBelow } from '@rfsis/link';
import { expect, it } from 'vitest';
import { PeerMonitor, FixedTimeoutDetector } from '../src/index.js';
import {
  BACKUP_IP,
  BACKUP_MAC,
  MAIN_IP,
  OUR_SESSION,
  SERVICE_IP,
  STRANGER_MAC,
  Segment,
} from './fixtures.js';

/** `nx run sniffer:fuzz` takes a million. */
const FRAMES = Number(process.env['RFSIS_FUZZ_FRAMES'] ?? 200_000);

it('200,000 mutated and random frames: no exception, no sign of life, each counted under one reason', () => {
  const random = new SeededRandom(99);
  const segment = new Segment();
  const originals = [
    segment.frame(),
    segment.frame({ kind: 'announcement' }),
    segment.frame({ kind: 'probe' }),
    segment.frame({ isPlain: true }),
    segment.frame({ isPlain: true, senderMac: STRANGER_MAC, senderIp: SERVICE_IP, targetIp: SERVICE_IP }),
  ];
  const clock = new VirtualClock();
  const port = new MemorySwitch({ clock }).port({ mac: BACKUP_MAC });
  let deliver: (batch: FrameBatch) => void = () => undefined;
  port.open = (onFrames) => {
    deliver = onFrames;
  };
  let calls = 0;
  let told = 0;
  const monitor = new PeerMonitor({
    device: port,
    clock,
    codec: segment.codec,
    nodeAddress: BACKUP_IP,
    peerAddress: MAIN_IP,
    session: OUR_SESSION,
    detector: new FixedTimeoutDetector(30),
    intervalMs: 10,
    watchAddress: SERVICE_IP,
    handlers: {
      onAddressClaim: () => calls++,
      onPeerAlive: () => told++,
      onBeat: () => told++,
      onHello: () => told++,
      onAnnouncement: () => told++,
    },
  });
  monitor.open();
  for (let round = 0; round < FRAMES; round++) {
    const original = originals[randomBelow(random, originals.length)] ?? new Uint8Array(0);
    const length = round % 4 === 0 ? randomBelow(random, original.length + 1) : original.length;
    const bytes = original.slice(0, length);
    // Within the part that is signed, so that no mutation is without effect.
    for (let change = randomBelow(random, 4); change >= 0 && length > 0; change--) {
      const at = randomBelow(random, length);
      bytes[at] = (bytes[at] as number) ^ (1 + randomBelow(random, 255));
    }
    if (round % 10 === 0) random.fill(bytes.subarray(14));
    if (round % 17 === 0) clock.advance(1);
    deliver(FrameBatch.of(bytes));
    monitor.trusts(bytes, 14, bytes.length);
  }
  const { claims, counters, peerMac } = monitor.statistics();
  const { frames, drops, accepted, hellos, ...kinds } = counters;
  const dropped = Object.values(drops).reduce((sum, count) => sum + count, 0);
  expect(frames).toBe(FRAMES);
  expect(Object.values(kinds).reduce((sum, count) => sum + count, 0) + dropped + accepted + hellos).toBe(
    FRAMES,
  );
  expect(claims).toBe(calls);
  // Only the Ethernet header is not signed: a mutation there alone leaves an authentic beat.
  expect(accepted).toBeLessThanOrEqual(3);
  expect(told).toBeLessThanOrEqual(4);
  expect(peerMac === undefined || accepted > 0).toBe(true);
  for (const reason of [
    'truncated',
    'version',
    'malformed',
    'unauthentic',
    'foreign',
    'over-budget',
  ] as const) {
    expect(drops[reason], reason).toBeGreaterThan(0);
  }
});
