import { EtherType, Ipv4Address, readU16, readU32, type LinkDevice } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { World, type NodeSlot, type PairOptions, type SimulatedClient } from '../src/index.js';

interface Scene {
  readonly world: World;
  readonly alpha: NodeSlot;
  readonly beta: NodeSlot;
  readonly client: SimulatedClient;
}

/** A pair that has found its roles (alpha is main), and a client. */
async function settledPair(options: PairOptions & { seed?: number } = {}): Promise<Scene> {
  const world = new World({ seed: options.seed ?? 1 });
  const { alpha, beta } = world.addPair(options);
  const client = world.addClient('client', '10.77.0.100');
  void world.start(alpha);
  void world.start(beta);
  await world.runUntil(
    () => alpha.serving && beta.role === 'backup',
    2000,
    'alpha serves, beta is its backup',
  );
  return { world, alpha, beta, client };
}

/** Fast beats, as in the figures of the README. */
const FAST: PairOptions = { intervalMs: 10, timeoutMs: 30 };

describe("the paper's five scenarios", () => {
  it('(1) the main serves the client, (2) beats flow both ways', async () => {
    const { world, alpha, beta, client } = await settledPair();
    const prober = client.probe();
    await world.run(500);
    prober.stop();
    await world.run(20);
    expect(prober.report()).toMatchObject({ answered: prober.report().sent, duplicated: 0, corrupted: 0 });
    expect(alpha.node?.status().heartbeat.heard).toBeGreaterThan(20);
    expect(beta.node?.status().heartbeat.heard).toBeGreaterThan(20);
  });

  it('(3) the death is detected, (4) the address is claimed, (5) the backup answers', async () => {
    const { world, alpha, beta, client } = await settledPair(FAST);
    const prober = client.probe();
    await world.run(200);
    world.powerLoss(alpha);
    await world.run(300);
    prober.stop();
    await world.run(20);
    expect(beta.serving).toBe(true);
    const report = prober.report();
    expect(report.longestGapMs).toBeGreaterThan(15);
    expect(report.longestGapMs).toBeLessThanOrEqual(35);
    expect(report).toMatchObject({ duplicated: 0, corrupted: 0 });
    expect(world.eventsOf('takeover', 'beta')).toMatchObject([{ epoch: 2, reason: 'peer-silent' }]);
  });
});

describe('roles', () => {
  it('are found by two nodes started in the same instant, whatever the seed: exactly one main', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { world, alpha, beta } = await settledPair({ seed });
      await world.run(500);
      expect([alpha.role, beta.role]).toEqual(['main', 'backup']);
      expect(world.eventsOf('role').filter(({ to }) => to === 'main')).toHaveLength(1);
    }
  });

  it('come back ten times in a row: the old main returns as backup, the new main dies', async () => {
    const { world, alpha, beta, client } = await settledPair(FAST);
    const prober = client.probe();
    let [main, backup] = [alpha, beta];
    for (let round = 0; round < 10; round++) {
      world.powerLoss(main);
      await world.runUntil(() => backup.serving, 100, 'the backup serves');
      void world.start(main);
      const returned = main;
      await world.runUntil(() => returned.role === 'backup', 500, 'the old main is backup');
      await world.run(100);
      [main, backup] = [backup, main];
    }
    prober.stop();
    await world.run(20);
    expect(prober.report()).toMatchObject({ duplicated: 0, corrupted: 0 });
    expect(prober.report().longestGapMs).toBeLessThanOrEqual(35);
    expect(main.node?.epoch).toBe(11);
  });

  it('do not change when the backup dies and returns; the client sees nothing', async () => {
    const { world, alpha, beta, client } = await settledPair();
    const prober = client.probe();
    world.powerLoss(beta);
    await world.run(500);
    expect(world.eventsOf('sync', 'alpha').at(-1)).toMatchObject({ state: 'solo' });
    void world.start(beta);
    await world.runUntil(() => beta.role === 'backup', 500, 'beta is backup again');
    await world.run(100);
    expect(world.eventsOf('sync', 'alpha').at(-1)).toMatchObject({ state: 'protected' });
    prober.stop();
    await world.run(20);
    expect(prober.report().answered).toBe(prober.report().sent);
    expect(alpha.node?.epoch).toBe(1);
  });
});

describe('a frozen main', () => {
  it.each(['timers-first', 'frames-first'] as const)(
    'sends nothing as main when it wakes (%s), fences itself and rejoins',
    async (order) => {
      const wire: { atMs: number; from: string; frame: Uint8Array }[] = [];
      const world: World = new World({
        wrapDevice: (device, name) =>
          spyOnSend(device, (frame) => wire.push({ atMs: world.clock.now(), from: name, frame })),
      });
      const { alpha, beta } = world.addPair();
      const client = world.addClient('client', '10.77.0.100');
      void world.start(alpha);
      void world.start(beta);
      await world.runUntil(() => alpha.serving && beta.role === 'backup', 2000, 'alpha serves');
      const prober = client.probe();
      await world.run(100);
      world.freeze(alpha);
      // A client whose ARP cache never learns goes on writing to the old main.
      await world.run(2000);
      world.thaw(alpha, order);
      const wokeAtMs = world.clock.now();
      await world.runUntil(() => alpha.role === 'backup', 1000, 'alpha is backup');
      await world.run(200);
      prober.stop();
      const asMain = wire.filter(
        ({ atMs, from, frame }) => atMs >= wokeAtMs && from === 'alpha' && speaksFor(frame),
      );
      expect(asMain).toEqual([]);
      expect(world.eventsOf('fenced', 'alpha')).toMatchObject([{ reason: 'rival' }]);
      expect(beta.serving).toBe(true);
      expect(prober.report()).toMatchObject({ duplicated: 0, corrupted: 0 });
    },
  );

  it('that was frozen for less than the timeout goes on within a round trip', async () => {
    const { world, alpha, beta, client } = await settledPair();
    const prober = client.probe();
    await world.run(100);
    world.freeze(alpha);
    await world.run(95);
    world.thaw(alpha);
    await world.run(300);
    prober.stop();
    expect(alpha.serving).toBe(true);
    expect(beta.role).toBe('backup');
    expect(prober.report().longestGapMs).toBeLessThan(105);
    expect(alpha.node?.epoch).toBe(1);
  });

  it('without a backup goes on alone', async () => {
    const { world, alpha, beta } = await settledPair();
    world.powerLoss(beta);
    await world.run(500);
    world.freeze(alpha);
    await world.run(1000);
    world.thaw(alpha);
    await world.run(1);
    expect(alpha.serving).toBe(false);
    await world.runUntil(() => alpha.serving, 150, 'alpha serves again');
    expect(world.eventsOf('resumed', 'alpha')).toHaveLength(1);
  });
});

describe('a frozen backup', () => {
  it('takes nothing over when it wakes while the main lives', async () => {
    for (const order of ['timers-first', 'frames-first'] as const) {
      const { world, alpha, beta, client } = await settledPair();
      const prober = client.probe();
      world.freeze(beta);
      await world.run(2000);
      world.thaw(beta, order);
      await world.run(500);
      prober.stop();
      await world.run(20);
      expect(alpha.serving).toBe(true);
      expect(beta.role).toBe('backup');
      expect(world.eventsOf('takeover')).toEqual([]);
      expect(prober.report().answered).toBe(prober.report().sent);
    }
  });
});

describe('a partition', () => {
  it('heals to one main: the lower epoch is fenced', async () => {
    const { world, alpha, beta, client } = await settledPair();
    const prober = client.probe();
    world.partition(['alpha'], ['beta', 'client']);
    await world.run(500);
    expect([alpha.serving, beta.serving]).toEqual([true, true]);
    world.heal(['alpha'], ['beta', 'client']);
    await world.runUntil(() => alpha.role === 'backup', 500, 'alpha is backup');
    await world.run(300);
    prober.stop();
    expect(world.eventsOf('fenced', 'alpha')).toMatchObject([{ reason: 'rival' }]);
    expect(beta.serving).toBe(true);
    expect(prober.report()).toMatchObject({ duplicated: 0, corrupted: 0 });
    expect(prober.report().longestGapMs).toBeLessThan(130);
  });

  // Whenever it heals, also while the witness is being asked.
  it.each([2000, 2013, 2050, 2077, 2099])(
    'with a witness never has two mains: the side without it is fenced (%i)',
    async (pauseMs) => {
      const world = new World();
      const { alpha, beta } = world.addPair({ witness: '10.77.0.1' });
      world.addClient('gateway', '10.77.0.1');
      void world.start(alpha);
      void world.start(beta);
      await world.runUntil(() => alpha.serving && beta.role === 'backup', 2000, 'alpha serves');
      world.partition(['alpha'], ['beta', 'gateway']);
      await world.runUntil(() => beta.serving, 300, 'beta serves');
      await world.runUntil(() => !alpha.serving, 300, 'alpha does not serve');
      expect(world.eventsOf('fenced', 'alpha')).toMatchObject([{ reason: 'isolated' }]);
      await world.run(pauseMs);
      expect(alpha.role).toBe('joining');
      world.heal(['alpha'], ['beta', 'gateway']);
      await world.runUntil(() => alpha.role === 'backup', 500, 'alpha is backup');
      await world.run(500);
      expect([alpha.role, beta.role]).toEqual(['backup', 'main']);
      expect(world.eventsOf('takeover')).toHaveLength(1);
    },
  );
});

describe('a lost carrier', () => {
  it('of the main lets the backup take over; the old main asks before it speaks', async () => {
    const { world, alpha, beta, client } = await settledPair();
    const prober = client.probe();
    await world.run(50);
    world.unplug(alpha);
    await world.run(500);
    expect(beta.serving).toBe(true);
    world.plug(alpha);
    await world.runUntil(() => alpha.role === 'backup', 500, 'alpha is backup');
    await world.run(200);
    prober.stop();
    expect(prober.report()).toMatchObject({ duplicated: 0, corrupted: 0 });
    expect(prober.report().longestGapMs).toBeLessThan(125);
  });

  it('of the backup changes nothing', async () => {
    const { world, alpha, beta, client } = await settledPair();
    const prober = client.probe();
    world.unplug(beta);
    await world.run(1000);
    expect(beta.serving).toBe(false);
    world.plug(beta);
    await world.run(500);
    prober.stop();
    await world.run(20);
    expect([alpha.role, beta.role]).toEqual(['main', 'backup']);
    expect(world.eventsOf('takeover')).toEqual([]);
    expect(prober.report().answered).toBe(prober.report().sent);
  });
});

describe('leaving on purpose', () => {
  it('hands over in one round trip when asked', async () => {
    const { world, alpha, beta, client } = await settledPair();
    const prober = client.probe();
    await world.run(100);
    const handedOver = alpha.node?.handover();
    await world.run(5);
    await handedOver;
    await world.run(200);
    prober.stop();
    await world.run(20);
    expect([alpha.role, beta.role]).toEqual(['backup', 'main']);
    expect(prober.report().longestGapMs).toBeLessThanOrEqual(2);
    expect(world.eventsOf('takeover', 'beta')).toMatchObject([{ reason: 'handover', epoch: 2 }]);
  });

  it('refuses a handover without a backup, in words', async () => {
    const { world, alpha, beta } = await settledPair();
    world.powerLoss(beta);
    await world.run(300);
    await expect(alpha.node?.handover()).rejects.toMatchObject({
      code: 'RFSIS_HANDOVER_REFUSED',
      message: 'there is no backup to hand over to',
    });
  });

  it('hands over before a main stops (SIGTERM), and tells a main that its backup leaves', async () => {
    const { world, alpha, beta, client } = await settledPair();
    const prober = client.probe();
    await world.run(100);
    const stopped = alpha.node?.stop();
    await world.run(5);
    await stopped;
    expect(beta.serving).toBe(true);
    await world.run(100);
    expect(prober.report().longestGapMs).toBeLessThanOrEqual(2);
    expect(world.eventsOf('sync', 'beta').at(-1)).toMatchObject({ state: 'solo' });
    // Said, not timed out.
    expect(world.clock.now() - (world.eventsOf('sync', 'beta').at(-1)?.atMs ?? 0)).toBeGreaterThan(50);
  });
});

describe('strangers', () => {
  it('who claim the service address are defended against and logged', async () => {
    const { world, alpha, client } = await settledPair();
    const intruder = world.addIntruder('intruder');
    const prober = client.probe();
    await world.run(100);
    intruder.claim('10.77.0.10');
    await world.run(200);
    prober.stop();
    await world.run(20);
    expect(alpha.serving).toBe(true);
    expect(prober.report().longestGapMs).toBeLessThanOrEqual(3);
    expect(world.eventsOf('conflict', 'alpha')).toMatchObject([{ mac: intruder.device.mac.toString() }]);
  });

  it('who hold the service address keep a node from starting, with one clear line', async () => {
    const world = new World();
    const { alpha } = world.addPair();
    world.addClient('stranger', '10.77.0.10');
    const started = world.start(alpha);
    await world.run(2000);
    await expect(started).rejects.toMatchObject({
      code: 'RFSIS_ADDRESS_IN_USE',
    });
    await expect(started).rejects.toThrow(
      /^10\.77\.0\.10 is already in use by 02:00:00:00:00:03: stop that host/,
    );
  });

  it('who forge or replay beats are counted and ignored when a key is set', async () => {
    // Only beta's beats are replayed: with alpha's own the intruder would move alpha's MAC address in the switch, which
    // no key prevents.
    const beats: Uint8Array[] = [];
    const world = new World({
      wrapDevice: (device, name) =>
        name === 'beta' ? spyOnSend(device, (frame) => frame.length > 100 && beats.push(frame)) : device,
    });
    const { alpha, beta } = world.addPair({ key: '00112233445566778899aabbccddeeff' });
    const intruder = world.addIntruder('intruder');
    void world.start(alpha);
    void world.start(beta);
    await world.runUntil(() => alpha.serving && beta.role === 'backup', 2000, 'alpha serves');
    expect(beats.length).toBeGreaterThan(0);
    world.powerLoss(beta);
    await world.run(50);
    for (let round = 0; round < 20; round++) {
      for (const beat of beats) {
        intruder.device.send(beat);
        const forged = beat.slice();
        forged[60] = (forged[60] as number) ^ 0xff;
        intruder.device.send(forged);
      }
      await world.run(20);
    }
    expect(alpha.serving).toBe(true);
    expect(alpha.node?.epoch).toBe(1);
    // The dead backup is not kept alive by its old beats.
    expect(world.eventsOf('sync', 'alpha').at(-1)).toMatchObject({ state: 'solo' });
    const { forged, replayed } = alpha.node?.status().heartbeat ?? { forged: 0, replayed: 0 };
    expect(forged).toBeGreaterThan(0);
    expect(replayed).toBeGreaterThan(0);
  });

  it('with another key are told apart from the peer, and the configuration is blamed', async () => {
    const world = new World();
    const { alpha, beta } = world.addPair({ key: '00112233445566778899aabbccddeeff' });
    beta.configuration['sync'] = { key: 'ffeeddccbbaa99887766554433221100' };
    void world.start(alpha);
    await world.run(1000);
    const started = world.start(beta);
    await world.run(2000);
    await expect(started).rejects.toMatchObject({
      code: 'RFSIS_ADDRESS_IN_USE',
    });
    await expect(started).rejects.toThrow('give both nodes the same sync.key');
    expect(alpha.serving).toBe(true);
    expect(world.eventsOf('rejected', 'alpha')[0]).toMatchObject({ reason: 'unauthentic' });
  });
});

/** Calls `seen` with a copy of each frame that a device sends. */
function spyOnSend(device: LinkDevice, seen: (frame: Uint8Array) => unknown): LinkDevice {
  return new Proxy(device, {
    get(target, key) {
      if (key === 'send') {
        return (frame: Uint8Array, length = frame.length) => {
          seen(frame.slice(0, length));
          return target.send(frame, length);
        };
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Whether a frame comes from the service address, in IPv4 or ARP, or is a beat in the role of main. */
function speaksFor(frame: Uint8Array): boolean {
  const service = Ipv4Address.parse('10.77.0.10').value;
  const type = readU16(frame, 12);
  if (type === EtherType.ipv4) return readU32(frame, 26) === service;
  const ROLE_MAIN = 3;
  return readU32(frame, 28) === service || (frame.length > 100 && frame[48] === ROLE_MAIN);
}
