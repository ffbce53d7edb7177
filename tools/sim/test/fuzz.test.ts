import { SeededRandom, randomBelow, type LinkDevice } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { World } from '../src/index.js';

/** Frames sent at a whole node; `nx run sim:fuzz` sends a million. */
const FRAMES = Number(process.env['RFSIS_FUZZ_FRAMES'] ?? 20_000);
const FRAMES_PER_MS = 20;

describe('random and mutated frames at a whole node', () => {
  it('do no harm: nothing throws, nothing grows, every frame is counted, the node goes on serving', async () => {
    const random = new SeededRandom(2026);
    const samples: Uint8Array[] = [];
    const world = new World({ wrapDevice: (device) => recordSome(device, samples) });
    const { alpha, beta } = world.addPair({ key: '00112233445566778899aabbccddeeff' });
    const client = world.addClient('client', '10.77.0.100');
    const intruder = world.addIntruder('intruder');
    void world.start(alpha);
    void world.start(beta);
    await world.runUntil(() => alpha.serving && beta.role === 'backup', 2000, 'alpha serves');
    const prober = client.probe({ intervalMs: 20 });
    await world.run(200);
    const ownMac = intruder.device.mac;
    let sent = 0;
    let halfwayHeap = 0;
    while (sent < FRAMES) {
      for (let count = 0; count < FRAMES_PER_MS && sent < FRAMES; count++, sent++) {
        const frame = mutate(samples, random);
        // Towards the main, in its own name: the switch is not what is tested here.
        alpha.mac.writeTo(frame, 0);
        ownMac.writeTo(frame, 6);
        intruder.device.send(frame);
      }
      intruder.heard.length = 0;
      await world.run(1);
      if (halfwayHeap === 0 && sent >= FRAMES / 2) halfwayHeap = usedHeap();
    }
    const grown = usedHeap() - halfwayHeap;
    await world.run(500);
    prober.stop();
    expect([alpha.role, beta.role]).toEqual(['main', 'backup']);
    expect(alpha.serving).toBe(true);
    const counters = alpha.node?.stack.counters;
    const { rxFrames, rxArp, rxIpv4, rxDrops } = counters?.ethernet ?? expect.fail('no node');
    const dropped = Object.values(rxDrops).reduce((sum, count) => sum + count, 0);
    expect(rxFrames).toBe(rxArp + rxIpv4 + dropped);
    expect(rxFrames).toBeGreaterThanOrEqual(FRAMES);
    // A collected heap after as many frames again; what is kept is bounded by the limits of the tables.
    expect(grown).toBeLessThan(16 * 2 ** 20);
  }, 600_000);
});

/** Keeps the first frames of each length that a device sends, as material. */
function recordSome(device: LinkDevice, samples: Uint8Array[]): LinkDevice {
  return new Proxy(device, {
    get(target, key) {
      if (key === 'send') {
        return (frame: Uint8Array, length = frame.length) => {
          if (samples.length < 200) samples.push(frame.slice(0, length));
          return target.send(frame, length);
        };
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

function mutate(samples: readonly Uint8Array[], random: SeededRandom): Uint8Array {
  const sample = samples[randomBelow(random, samples.length)];
  if (sample === undefined || randomBelow(random, 4) === 0) {
    const noise = new Uint8Array(14 + randomBelow(random, 200));
    random.fill(noise);
    // ARP or IPv4 three times of four, or it would end at the EtherType.
    if (randomBelow(random, 4) > 0) noise.set([8, randomBelow(random, 2) * 6], 12);
    return noise;
  }
  const cut = randomBelow(random, 4) === 0 ? 14 + randomBelow(random, sample.length - 13) : sample.length;
  const frame = sample.slice(0, cut);
  for (let changes = randomBelow(random, 4); changes > 0; changes--) {
    frame[12 + randomBelow(random, frame.length - 12)] = random.uint32();
  }
  return frame;
}

function usedHeap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
