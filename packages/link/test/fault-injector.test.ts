import { describe, expect, it } from 'vitest';
import { linkDeviceCompliance } from '../src/compliance.js';
import {
  ChecksumState,
  FaultInjector,
  FrameBatch,
  MemorySwitch,
  SeededRandom,
  VirtualClock,
  type Faults,
  type LinkDevice,
} from '../src/index.js';
import { frameOf, listen, macOf, textOf } from './stations.js';

interface Setup {
  readonly clock: VirtualClock;
  readonly injector: FaultInjector;
  readonly heard: string[];
  readonly peerHeard: string[];
  /** Sends numbered frames, `gapMs` apart. */
  readonly transmit: (count: number, gapMs?: number) => void;
  readonly receive: (count: number, gapMs?: number) => void;
}

function setUp(
  options: { receive?: Faults; transmit?: Faults; heldFrames?: number; seed?: number } = {},
): Setup {
  const clock = new VirtualClock();
  const network = new MemorySwitch({ clock, latencyMs: 0 });
  const [port, peer] = [network.port({ mac: macOf(1) }), network.port({ mac: macOf(2) })];
  const random = new SeededRandom(options.seed ?? 1);
  const injector = new FaultInjector({ device: port, clock, random, ...options });
  const stream = (from: LinkDevice, to: LinkDevice, count: number, gapMs: number): void => {
    for (let index = 0; index < count; index++) {
      from.send(frameOf(from.mac, to.mac, String(index)));
      clock.advance(gapMs);
    }
  };
  return {
    clock,
    injector,
    heard: listen(injector),
    peerHeard: listen(peer),
    transmit: (count, gapMs = 0) => {
      stream(injector, peer, count, gapMs);
    },
    receive: (count, gapMs = 0) => {
      stream(peer, injector, count, gapMs);
    },
  };
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

describe('compliance, without faults', () => {
  it.each(linkDeviceCompliance({ carrier: true }))('$name', async ({ run }) => {
    const clock = new VirtualClock();
    const network = new MemorySwitch({ clock });
    const [portA, portB] = [network.port({ mac: macOf(1) }), network.port({ mac: macOf(2) })];
    const random = new SeededRandom(1);
    await run({
      a: new FaultInjector({ device: portA, clock, random }),
      b: new FaultInjector({ device: portB, clock, random }),
      until: (condition) => clock.advanceUntil(condition, 1000),
      setCarrier: (up) => {
        if (up) portA.plug();
        else portA.unplug();
      },
    });
  });
});

describe('FaultInjector', () => {
  it('passes everything untouched when there are no faults', () => {
    const { clock, injector, heard, peerHeard, transmit, receive } = setUp();
    transmit(5);
    receive(5);
    clock.advance(1);
    expect([heard, peerHeard]).toEqual([numbers(5), numbers(5)]);
    expect(injector.transmitCounters).toMatchObject({ frames: 5, lost: 0, delayed: 0 });
    expect(injector.receiveCounters).toMatchObject({ frames: 5, lost: 0, delayed: 0 });
  });

  it('loses the given share of frames, each direction by its own', () => {
    const { clock, injector, heard, peerHeard, transmit, receive } = setUp({
      receive: { loss: 0.5 },
      transmit: { loss: 0.1 },
    });
    transmit(4000);
    clock.advance(1);
    receive(4000);
    clock.advance(1);
    expect(injector.transmitCounters.lost).toBeGreaterThan(300);
    expect(injector.transmitCounters.lost).toBeLessThan(500);
    expect(injector.receiveCounters.lost).toBeGreaterThan(1850);
    expect(injector.receiveCounters.lost).toBeLessThan(2150);
    expect(peerHeard).toHaveLength(4000 - injector.transmitCounters.lost);
    expect(heard).toHaveLength(4000 - injector.receiveCounters.lost);
  });

  it('tells the sender of a lost frame nothing', () => {
    const { injector } = setUp({ transmit: { loss: 1 } });
    expect(injector.send(frameOf(macOf(1), macOf(2), 'gone'))).toBe(true);
    expect(injector.counters.txFrames).toBe(0);
  });

  it('doubles frames', () => {
    const { clock, injector, peerHeard, transmit } = setUp({ transmit: { duplication: 1 } });
    transmit(3);
    clock.advance(1);
    expect(peerHeard).toEqual(['0', '0', '1', '1', '2', '2']);
    expect(injector.transmitCounters.duplicated).toBe(3);
  });

  it('delays frames, and keeps copies of them', () => {
    const { clock, injector, heard, peerHeard } = setUp({
      transmit: { delayMs: 5 },
      receive: { delayMs: 7 },
    });
    const frame = frameOf(macOf(1), macOf(2), 'kept');
    injector.send(frame);
    frame.fill(0);
    clock.advance(4.9);
    expect(peerHeard).toEqual([]);
    clock.advance(0.2);
    expect(peerHeard).toEqual(['kept']);
    expect(heard).toEqual([]);
    expect(injector.transmitCounters.delayed).toBe(1);
  });

  it('keeps the order of frames under jitter', () => {
    const { clock, heard, peerHeard, transmit, receive } = setUp({
      transmit: { delayMs: 1, jitterMs: 20 },
      receive: { jitterMs: 20 },
    });
    transmit(50, 0.5);
    receive(50, 0.5);
    clock.advance(50);
    expect([heard, peerHeard]).toEqual([numbers(50), numbers(50)]);
  });

  it('lets later frames overtake a reordered one', () => {
    const { clock, injector, peerHeard, transmit } = setUp({
      transmit: { reordering: 0.2, reorderMs: 3 },
      seed: 5,
    });
    transmit(40, 1);
    clock.advance(10);
    expect(peerHeard).not.toEqual(numbers(40));
    expect([...peerHeard].sort((a, b) => Number(a) - Number(b))).toEqual(numbers(40));
    expect(injector.transmitCounters.reordered).toBe(injector.transmitCounters.delayed);
    expect(injector.transmitCounters.reordered).toBeGreaterThan(2);
  });

  it('flips one bit behind the Ethernet header, in a copy', () => {
    const clock = new VirtualClock();
    const sent = frameOf(macOf(1), macOf(2), 'intact');
    const original = sent.slice();
    const network = new MemorySwitch({ clock, latencyMs: 0 });
    const [port, peer] = [network.port({ mac: macOf(1) }), network.port({ mac: macOf(2) })];
    const corrupting = new FaultInjector({
      device: port,
      clock,
      random: new SeededRandom(3),
      transmit: { corruption: 1 },
    });
    const frames: Uint8Array[] = [];
    peer.open((batch) => frames.push(batch.frame(0).slice()));
    corrupting.open(() => undefined);
    for (let round = 0; round < 200; round++) corrupting.send(sent);
    clock.advance(1);
    expect(sent).toEqual(original);
    for (const frame of frames) {
      expect(frame.subarray(0, 14)).toEqual(original.subarray(0, 14));
      const flipped = frame.reduce((bits, octet, index) => bits + ones(octet ^ (original[index] ?? 0)), 0);
      expect(flipped).toBe(1);
    }
    expect(frames).toHaveLength(200);
    expect(corrupting.transmitCounters.corrupted).toBe(200);
  });

  it('does not vouch for the checksum of a frame it corrupted', () => {
    const { port, deliver } = scriptedDevice();
    const clock = new VirtualClock();
    const injector = new FaultInjector({ device: port, clock, random: new SeededRandom(1) });
    const seen: [string, ChecksumState][] = [];
    injector.open((batch) => seen.push([textOf(batch.frame(0)), batch.checksum(0)]));
    const batch = new FrameBatch(frameOf(macOf(2), macOf(1), 'payload'));
    batch.add(0, 60, ChecksumState.valid);
    injector.receiveFaults = { delayMs: 1 };
    deliver(batch);
    injector.receiveFaults = { corruption: 1, delayMs: 1 };
    deliver(batch);
    clock.advance(1);
    expect(seen[0]).toEqual(['payload', ChecksumState.valid]);
    expect(seen[1]?.[1]).toBe(ChecksumState.unknown);
    expect(textOf(batch.frame(0))).toBe('payload');
  });

  it('spoils each frame of a batch by itself, in order', () => {
    const { port, deliver } = scriptedDevice();
    const injector = new FaultInjector({
      device: port,
      clock: new VirtualClock(),
      random: new SeededRandom(2),
      receive: { loss: 0.5 },
    });
    const heard = listen(injector);
    const bytes = new Uint8Array(60 * 40);
    const batch = new FrameBatch(bytes);
    for (let index = 0; index < 40; index++) {
      bytes.set(frameOf(macOf(2), macOf(1), String(index)), index * 60);
      batch.add(index * 60, 60);
    }
    deliver(batch);
    expect(heard.length).toBe(40 - injector.receiveCounters.lost);
    expect(heard).toEqual([...heard].sort((a, b) => Number(a) - Number(b)));
    expect(heard.length).toBeGreaterThan(5);
  });

  it('changes its faults while it runs, and lets no frame overtake those still held', () => {
    const { clock, injector, peerHeard, transmit } = setUp({ transmit: { delayMs: 10 } });
    expect(injector.transmitFaults).toMatchObject({ delayMs: 10, loss: 0 });
    expect(injector.receiveFaults).toMatchObject({ delayMs: 0 });
    transmit(2, 1);
    injector.transmitFaults = {};
    injector.send(frameOf(macOf(1), macOf(2), 'after'));
    expect(peerHeard).toEqual([]);
    clock.advance(10);
    expect(peerHeard).toEqual(['0', '1', 'after']);
    injector.send(frameOf(macOf(1), macOf(2), 'at once'));
    clock.advance(0);
    expect(peerHeard.at(-1)).toBe('at once');
  });

  it('loses what it cannot hold, and counts it', () => {
    const { clock, injector, peerHeard, transmit } = setUp({ transmit: { delayMs: 5 }, heldFrames: 3 });
    transmit(5);
    clock.advance(10);
    expect(peerHeard).toEqual(['0', '1', '2']);
    expect(injector.transmitCounters.overflowed).toBe(2);
  });

  it('forgets what it holds when it is closed', () => {
    const { clock, injector, heard, peerHeard, transmit, receive } = setUp({
      transmit: { delayMs: 5 },
      receive: { delayMs: 5 },
    });
    transmit(2);
    receive(2);
    clock.advance(1);
    injector.close();
    clock.advance(10);
    expect([heard, peerHeard, clock.pending]).toEqual([[], [], 0]);
  });

  it('does the same again with the same seed', () => {
    const faults: Faults = { loss: 0.1, duplication: 0.1, reordering: 0.2, jitterMs: 3, corruption: 0.1 };
    const run = (seed: number): string[] => {
      const { clock, peerHeard, transmit } = setUp({ transmit: faults, seed });
      transmit(300, 0.3);
      clock.advance(10);
      return peerHeard;
    };
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
  });
});

function ones(octet: number): number {
  return octet.toString(2).replaceAll('0', '').length;
}

/** A device that receives what the test says. */
function scriptedDevice(): { port: LinkDevice; deliver: (batch: FrameBatch) => void } {
  const port = new MemorySwitch({ clock: new VirtualClock() }).port({ mac: macOf(1) });
  let deliver: (batch: FrameBatch) => void = () => undefined;
  const scripted = Object.create(port, {
    open: { value: (onFrames: (batch: FrameBatch) => void) => (deliver = onFrames) },
  }) as LinkDevice;
  return {
    port: scripted,
    deliver: (batch) => {
      deliver(batch);
    },
  };
}
