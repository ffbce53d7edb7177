import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EtherType, LinkError, readU16, readU32, type LinkDevice } from '@rfsis/link';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlClient } from '../../src/control/control-client.js';
import { RfsisError } from '../../src/errors.js';
import { arpFrame, macOf } from '../frames.js';
import { parsePrometheus } from './prometheus.js';
import { SERVICE, Segment, type Place } from './segment.js';

let segment: Segment;
let directory: string;
let controlSocket: string;

beforeEach(() => {
  segment = new Segment();
  directory = mkdtempSync(join(tmpdir(), 'rfsis-node-'));
  controlSocket = join(directory, 'node.sock');
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Settles with the error of a promise that must fail, without an unhandled rejection meanwhile. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
}

/** Nothing of a node is left: no open port, no timer, no socket. */
function expectNothingOpen({ node, port }: Place): void {
  expect(port.up).toBe(false);
  expect(segment.clock.pending).toBe(0);
  expect(existsSync(controlSocket)).toBe(false);
  expect(node.serving).toBe(false);
}

describe('start', () => {
  it('resolves when the role is found: main where nobody serves', async () => {
    const alpha = segment.alpha();
    const started = alpha.node.start();
    await segment.run(1000);
    await started;
    expect([alpha.node.role, alpha.node.serving, alpha.node.epoch]).toEqual(['main', true, 1]);
    expect(alpha.logged('ready')).toMatchObject([{ role: 'main', epoch: 1, level: 'info' }]);
  });

  it('gives the application its sockets, the addresses and the log, once', async () => {
    const seen: unknown[] = [];
    const alpha = segment.alpha({
      configuration: { port: 9000 },
      application: ({ dgram, serviceAddress, port, stack, log }) => {
        seen.push([serviceAddress, port, stack.addresses.map(String)]);
        const socket = dgram.createSocket('udp4');
        socket.bind(port, () => seen.push(socket.address().address));
        log.info({ event: 'application' }, 'hello');
      },
    });
    const started = alpha.node.start();
    await segment.run(1000);
    await started;
    expect(seen).toEqual([[SERVICE, 9000, ['10.77.0.11/24']], SERVICE]);
    expect(alpha.logged('application')).toHaveLength(1);
  });

  it('is possible once only', async () => {
    const { alpha } = await segment.pair();
    await expect(alpha.node.start()).rejects.toMatchObject({ code: 'RFSIS_STATE' });
    expect(alpha.node.serving).toBe(true);
    alpha.node.destroy();
    await expect(alpha.node.start()).rejects.toMatchObject({ code: 'RFSIS_STATE' });
  });

  it.each([
    [
      'throws',
      () => {
        throw new TypeError('broken');
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('broken'))],
  ])('rejects when the application %s, and nothing stays open', async (_how, application) => {
    const alpha = segment.alpha({ application, control: true, configuration: { controlSocket } });
    await expect(alpha.node.start()).rejects.toThrow(new TypeError('broken'));
    expectNothingOpen(alpha);
  });

  it('rejects when the interface cannot be opened, and nothing stays open', async () => {
    const alpha = segment.alpha({
      control: true,
      configuration: { controlSocket },
      wrapDevice: (device) =>
        overriding(device, 'open', () => {
          throw new LinkError('RFSIS_LINK_NO_PRIVILEGE', 'eth0: run it as root');
        }),
    });
    await expect(alpha.node.start()).rejects.toMatchObject({ code: 'RFSIS_LINK_NO_PRIVILEGE' });
    expectNothingOpen(alpha);
  });

  it('rejects when the control socket is in use, and leaves that alone', async () => {
    const options = { control: true, configuration: { controlSocket } };
    const alpha = segment.alpha(options);
    const started = alpha.node.start();
    await new ControlClient(controlSocket).status().catch(() => undefined);
    const beta = segment.beta(options);
    const failure = await waiting(failureOf(beta.node.start()));
    expect(failure).toMatchObject({ code: 'RFSIS_CONTROL_SOCKET' });
    expect(beta.port.up).toBe(false);
    await waiting(started);
    expect(existsSync(controlSocket)).toBe(true);
    await alpha.node.stop();
  });

  it('rejects when a stranger has the address, and nothing stays open', async () => {
    const stranger = segment.host(SERVICE);
    const alpha = segment.alpha({ control: true, configuration: { controlSocket } });
    const failure = await waiting(failureOf(alpha.node.start()));
    expect(failure).toBeInstanceOf(RfsisError);
    expect(failure).toMatchObject({
      code: 'RFSIS_ADDRESS_IN_USE',
      message: `10.77.0.10 is already in use by ${stranger.port.mac.toString()}: stop that host, or choose another serviceAddress`,
    });
    stranger.arp.close();
    expectNothingOpen(alpha);
  });

  it('waits for a carrier', async () => {
    const alpha = segment.alpha();
    alpha.port.unplug();
    const started = alpha.node.start();
    await segment.run(2000);
    expect(alpha.node.role).toBe('joining');
    expect(alpha.node.status().linkUp).toBe(false);
    alpha.port.plug();
    await segment.run(1000);
    await started;
    expect(alpha.node.serving).toBe(true);
    expect(alpha.logged('link')).toMatchObject([{ up: true, interface: 'eth0' }]);
  });
});

describe('stop', () => {
  it('as backup says goodbye: the main does not wait for the timeout', async () => {
    const { alpha, beta } = await segment.pair();
    expect(alpha.node.status().sync.state).toBe('protected');
    await beta.node.stop();
    await segment.run(1);
    expect(alpha.node.status()).toMatchObject({ sync: { state: 'solo' }, peer: { alive: false } });
    expect(beta.port.up).toBe(false);
    expect(beta.node.serving).toBe(false);
  });

  it('of the backup makes the main look for its successor everywhere, not at the old MAC address', async () => {
    const { alpha, beta } = await segment.pair();
    const heard = listenAt(segment, beta.port.mac.value);
    await beta.node.stop();
    await segment.run(100);
    expect(heard.unicast).toBe(0);
    expect(heard.broadcast).toBeGreaterThan(3);
    expect(alpha.node.serving).toBe(true);
  });

  it('as main hands over first', async () => {
    const { alpha, beta } = await segment.pair();
    const stopped = alpha.node.stop();
    await segment.run(5);
    await stopped;
    expect(beta.node.serving).toBe(true);
    expect(beta.logged('takeover')).toMatchObject([{ reason: 'handover', epoch: 2 }]);
    expect(alpha.port.up).toBe(false);
  });

  it('as main without a backup leaves at once and says so', async () => {
    const alpha = segment.alpha();
    const started = alpha.node.start();
    await segment.run(1000);
    await started;
    await alpha.node.stop();
    expect(alpha.logged('handover-refused')).toMatchObject([
      { reason: 'there is no backup to hand over to', level: 'warn' },
    ]);
    expectNothingOpen(alpha);
  });

  it('as main leaves although its backup does not answer any more', async () => {
    const { alpha, beta } = await segment.pair();
    segment.isolate(beta.port, [alpha.port]);
    const stopped = alpha.node.stop();
    await segment.run(150);
    await stopped;
    expect(alpha.logged('handover-refused')).toMatchObject([
      { reason: 'the backup did not take over in time; see the log' },
    ]);
    expect(alpha.port.up).toBe(false);
  });

  it('may be called again while it is at work: both calls wait for the end', async () => {
    const { alpha, beta } = await segment.pair();
    const stops = [alpha.node.stop(), alpha.node.stop()];
    await segment.run(5);
    await Promise.all(stops);
    await alpha.node.stop();
    expect(beta.node.serving).toBe(true);
  });

  it('before the start closes, and there is no start any more', async () => {
    const alpha = segment.alpha();
    await alpha.node.stop();
    expectNothingOpen(alpha);
    await expect(alpha.node.start()).rejects.toMatchObject({ code: 'RFSIS_STATE' });
  });

  it('while the role is looked for ends the start', async () => {
    const alpha = segment.alpha({ control: true, configuration: { controlSocket } });
    const failure = failureOf(alpha.node.start());
    await waiting(until(() => alpha.node.status().heartbeat.sent > 0));
    await alpha.node.stop();
    expect(await failure).toMatchObject({
      code: 'RFSIS_STATE',
      message: 'the node was stopped before it found its role',
    });
    expectNothingOpen(alpha);
    expect(alpha.logged('ready')).toEqual([]);
  });

  it('while the control socket is being opened ends the start', async () => {
    let began = false;
    const alpha = segment.alpha({
      control: true,
      configuration: { controlSocket },
      application: () => {
        began = true;
      },
    });
    const failure = failureOf(alpha.node.start());
    await alpha.node.stop();
    expect(await failure).toMatchObject({ code: 'RFSIS_STATE' });
    expect(began).toBe(false);
    expectNothingOpen(alpha);
  });

  it('while the application is being opened does not wait for it, and ends the start', async () => {
    let finish: () => void = () => undefined;
    const alpha = segment.alpha({ application: () => new Promise<void>((resolve) => (finish = resolve)) });
    const failure = failureOf(alpha.node.start());
    await segment.run(10);
    await alpha.node.stop();
    expectNothingOpen(alpha);
    finish();
    expect(await failure).toMatchObject({ code: 'RFSIS_STATE' });
    expectNothingOpen(alpha);
  });
});

describe('destroy', () => {
  it('closes everything at once, without a word', async () => {
    const { alpha, beta } = await segment.pair();
    const sent = beta.port.counters.txFrames;
    beta.node.destroy();
    beta.node.destroy();
    expect(beta.port.counters.txFrames).toBe(sent);
    expect(beta.port.up).toBe(false);
    await segment.run(50);
    expect(alpha.node.status().peer.alive).toBe(true);
    await segment.run(60);
    expect(alpha.node.status().peer.alive).toBe(false);
    alpha.node.destroy();
    expect(segment.clock.pending).toBe(0);
  });

  it('before the start is harmless', () => {
    const alpha = segment.alpha();
    alpha.node.destroy();
    expectNothingOpen(alpha);
  });

  it('ends a handover and a stop that are at work', async () => {
    const { alpha, beta } = await segment.pair();
    segment.isolate(beta.port, [alpha.port]);
    const handover = failureOf(alpha.node.handover());
    alpha.node.destroy();
    expect(await handover).toMatchObject({ code: 'RFSIS_HANDOVER_REFUSED' });

    const { alpha: other } = await new Segment().pair();
    const stopped = other.node.stop();
    other.node.destroy();
    await stopped;
    expect(other.port.up).toBe(false);
  });
});

describe('handover', () => {
  it('makes the backup main and this node its backup', async () => {
    const { alpha, beta } = await segment.pair();
    const handedOver = alpha.node.handover();
    await segment.run(5);
    await handedOver;
    expect([alpha.node.role, beta.node.role]).toEqual(['backup', 'main']);
    expect(alpha.logged('role').at(-1)).toMatchObject({ from: 'main', to: 'backup', reason: 'handed-over' });
  });

  it('is refused, in words', async () => {
    const { alpha, beta } = await segment.pair();
    await expect(beta.node.handover()).rejects.toMatchObject({
      code: 'RFSIS_HANDOVER_REFUSED',
      message: 'this node does not serve; ask the main',
    });
    const first = alpha.node.handover();
    await expect(alpha.node.handover()).rejects.toThrow('a handover is under way already');
    await segment.run(5);
    await first;
  });

  it('needs a node that runs', async () => {
    const alpha = segment.alpha();
    await expect(alpha.node.handover()).rejects.toMatchObject({ code: 'RFSIS_STATE' });
    alpha.node.destroy();
    await expect(alpha.node.handover()).rejects.toMatchObject({ code: 'RFSIS_STATE' });
  });
});

describe('a takeover', () => {
  it('is announced by the backup and logged', async () => {
    const { alpha, beta } = await segment.pair();
    const station = segment.host('10.77.0.100');
    alpha.port.unplug();
    alpha.node.destroy();
    await segment.run(150);
    expect(beta.node.serving).toBe(true);
    const [takeover] = beta.logged('takeover');
    expect(takeover).toMatchObject({ epoch: 2, reason: 'peer-silent', connections: 0 });
    expect(takeover?.['detectMs']).toBeGreaterThanOrEqual(100);
    expect(takeover?.['detectMs']).toBeLessThan(101);
    expect(station.arp.counters.announcementsReceived).toBeGreaterThan(0);
  });
});

describe('a conflict', () => {
  it('about the service address is defended and logged', async () => {
    const { alpha } = await segment.pair();
    const stranger = segment.network.port({ mac: macOf(99) });
    stranger.open(() => undefined);
    stranger.send(arpFrame(SERVICE, SERVICE, { source: macOf(99) }));
    await segment.run(10);
    expect(alpha.logged('conflict')).toMatchObject([{ mac: macOf(99).toString(), address: SERVICE }]);
    expect(alpha.node.status().conflicts).toBe(1);
  });

  it("about the node's own address names that", async () => {
    const { alpha } = await segment.pair();
    const stranger = segment.network.port({ mac: macOf(99) });
    stranger.open(() => undefined);
    stranger.send(arpFrame('10.77.0.11', '10.77.0.11', { source: macOf(99) }));
    await segment.run(10);
    expect(alpha.logged('conflict')).toMatchObject([{ mac: macOf(99).toString(), address: '10.77.0.11' }]);
  });
});

describe('a peer with other heartbeat settings', () => {
  async function slowMain(): Promise<{ alpha: Place; beta: Place }> {
    const alpha = segment.alpha({ configuration: { heartbeat: { intervalMs: 200, timeoutMs: 1000 } } });
    const beta = segment.beta();
    const started = Promise.all([alpha.node.start(), segment.run(3000).then(() => beta.node.start())]);
    await segment.run(10_000);
    await started;
    return { alpha, beta };
  }

  it('that is slower is not given up for it, and both nodes say so once', async () => {
    const { alpha, beta } = await slowMain();
    expect([alpha.node.role, beta.node.role]).toEqual(['main', 'backup']);
    expect(beta.logged('takeover')).toEqual([]);
    expect(beta.node.status().sync.state).toBe('protected');
    expect(beta.logged('mismatch')).toMatchObject([{ intervalMs: 20, peerIntervalMs: 200, level: 'warn' }]);
    expect(alpha.logged('mismatch')).toMatchObject([{ intervalMs: 200, peerIntervalMs: 20 }]);
  });

  it('is still found dead, after as many of its beats as may be missing', async () => {
    const { alpha, beta } = await slowMain();
    alpha.node.destroy();
    await segment.run(799);
    expect(beta.node.serving).toBe(false);
    await segment.run(205);
    expect(beta.node.serving).toBe(true);
  });
});

describe('the witness', () => {
  const configuration = { witness: '10.77.0.1' };

  it('that does not answer keeps a node from serving; that is logged once, not with every try', async () => {
    const alpha = segment.alpha({ configuration });
    const started = alpha.node.start();
    await segment.run(10_000);
    expect(alpha.node.role).toBe('joining');
    expect(alpha.node.status().arbiter).toBe('witness 10.77.0.1');
    expect(alpha.logged('arbiter')).toMatchObject([
      { granted: false, evidence: '10.77.0.1 did not answer within 100 ms' },
    ]);
    segment.host('10.77.0.1');
    await segment.run(1000);
    await started;
    expect(alpha.node.serving).toBe(true);
  });

  it('is asked again, and its silence logged again, the next time', async () => {
    const witness = segment.host('10.77.0.1');
    const { alpha, beta } = await segment.pair({ configuration });
    segment.isolate(alpha.port, [beta.port, witness.port]);
    await segment.run(1000);
    expect([alpha.node.role, beta.node.serving]).toEqual(['joining', true]);
    expect(alpha.logged('fenced')).toMatchObject([{ reason: 'isolated' }]);
    expect(alpha.logged('arbiter')).toHaveLength(1);
    expect(alpha.node.status().fencings).toBe(1);
  });
});

describe('a main that was isolated and comes back', () => {
  it('does not fight a stranger who has taken the address meanwhile, and waits until it is free', async () => {
    const witness = segment.host('10.77.0.1');
    const alpha = segment.alpha({ configuration: { witness: '10.77.0.1' } });
    const started = alpha.node.start();
    await segment.run(1000);
    await started;
    // When alpha's cable is back, the witness's is not: it asks in vain.
    witness.port.unplug();
    alpha.port.unplug();
    await segment.run(200);
    const stranger = segment.host(SERVICE);
    alpha.port.plug();
    await segment.run(500);
    expect(alpha.logged('fenced')).toMatchObject([{ reason: 'isolated' }]);
    witness.port.plug();
    await segment.run(3000);
    expect(alpha.node.role).toBe('joining');
    expect(alpha.logged('conflict').at(-1)).toMatchObject({ mac: stranger.port.mac.toString() });
    stranger.port.unplug();
    await segment.run(3000);
    expect(alpha.node.serving).toBe(true);
  });
});

describe('a main that was cut off', () => {
  it('asks before it speaks, and is fenced', async () => {
    const { alpha, beta } = await segment.pair();
    alpha.port.unplug();
    await segment.run(500);
    alpha.port.plug();
    await segment.run(500);
    expect([alpha.node.role, beta.node.serving]).toEqual(['backup', true]);
    expect(alpha.logged('lease-expired')).toHaveLength(1);
  });

  it('and was fenced hears ARP about the service address again', async () => {
    let isMute = false;
    const mutable = (device: LinkDevice): LinkDevice =>
      overriding(device, 'send', (frame: Uint8Array) => !isMute && device.send(frame));
    const { alpha, beta } = await segment.pair({ wrapDevice: mutable }, {});
    isMute = true;
    await waiting(until(() => beta.node.serving));
    isMute = false;
    await segment.run(1150);
    expect([alpha.node.role, beta.node.serving]).toEqual(['backup', true]);
    const heard = alpha.node.stack.arp.counters.requestsReceived;
    const stranger = segment.network.port({ mac: macOf(99) });
    stranger.open(() => undefined);
    stranger.send(arpFrame('10.77.0.100', SERVICE, { source: macOf(99) }));
    await segment.run(1);
    expect(alpha.node.stack.arp.counters.requestsReceived).toBe(heard + 1);
  });

  it('and finds its place not taken goes on', async () => {
    const { alpha, beta } = await segment.pair();
    beta.node.destroy();
    await segment.run(200);
    alpha.port.unplug();
    await segment.run(500);
    expect(alpha.node.serving).toBe(false);
    alpha.port.plug();
    await segment.run(150);
    expect(alpha.node.serving).toBe(true);
    expect(alpha.logged('resumed')).toMatchObject([{ epoch: 1 }]);
  });
});

describe('the status', () => {
  it('of a main', async () => {
    const { alpha, beta } = await segment.pair();
    expect(alpha.node.status()).toEqual({
      role: 'main',
      serving: true,
      epoch: 1,
      sync: { state: 'protected', connections: 0 },
      bytesAtRisk: 0,
      connections: 0,
      serviceAddress: '10.77.0.10/24',
      nodeAddress: '10.77.0.11',
      interface: 'eth0',
      mac: alpha.port.mac.toString(),
      linkUp: true,
      uptimeMs: 1000,
      arbiter: 'none',
      peer: {
        address: '10.77.0.12',
        mac: beta.port.mac.toString(),
        ageMs: expect.any(Number) as number,
        alive: true,
        role: 'backup',
        epoch: 1,
      },
      heartbeat: {
        intervalMs: 20,
        timeoutMs: 100,
        detector: 'fixed',
        heard: expect.any(Number) as number,
        sent: expect.any(Number) as number,
        gapMeanMs: expect.any(Number) as number,
        gapStddevMs: expect.any(Number) as number,
        gapP99Ms: expect.any(Number) as number,
        gapMaxMs: 20,
        marginMs: 80,
        ownLatenessMaxMs: 0,
        forged: 0,
        replayed: 0,
      },
      takeovers: 0,
      fencings: 0,
      conflicts: 0,
    });
  });

  it('of a node that never heard a peer', () => {
    const alpha = segment.alpha();
    expect(alpha.node.status()).toMatchObject({
      role: 'joining',
      serving: false,
      epoch: 0,
      uptimeMs: 0,
      peer: { mac: null, ageMs: null, alive: false, role: null, epoch: null },
    });
  });
});

describe('the control socket', () => {
  it('gives the status, hands over, and is gone with the node', async () => {
    const { alpha, beta } = await waitingPair();
    const client = new ControlClient(controlSocket);
    expect(await client.status()).toMatchObject({ role: 'main', serving: true });
    const metrics = parsePrometheus(await client.metrics());
    expect(metrics.get('rfsis_serving')?.samples.get('')).toBe(1);
    const layers = new Set(
      [...(metrics.get('rfsis_layer_events_total')?.samples.keys() ?? [])].map(
        (labels) => /layer="([^"]*)"/.exec(labels)?.[1],
      ),
    );
    expect([...layers].sort()).toEqual([
      'arp',
      'ethernet',
      'icmp',
      'ipv4',
      'lease',
      'link',
      'monitor',
      'udp',
    ]);
    expect(await waiting(client.handover())).toMatchObject({ role: 'backup', serving: false });
    expect(beta.node.serving).toBe(true);
    await expect(client.handover()).rejects.toMatchObject({
      code: 'RFSIS_HANDOVER_REFUSED',
      message: 'this node does not serve; ask the main',
    });
    await alpha.node.stop();
    expect(existsSync(controlSocket)).toBe(false);
  });

  async function waitingPair(): Promise<{ alpha: Place; beta: Place }> {
    const alpha = segment.alpha({ control: true, configuration: { controlSocket } });
    const beta = segment.beta();
    await waiting(Promise.all([alpha.node.start(), beta.node.start()]));
    await segment.run(500);
    return { alpha, beta };
  }
});

/** Lets virtual time pass, a little at a time, until something outside of it has happened: a socket has answered. */
async function waiting<T>(promise: Promise<T>): Promise<T> {
  const state = { settled: false };
  const observed = promise.finally(() => (state.settled = true));
  observed.catch(() => undefined);
  while (!state.settled) await segment.run(1);
  return observed;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await segment.run(1);
}

/** A device of which one method is another. */
function overriding(device: LinkDevice, method: keyof LinkDevice, replacement: unknown): LinkDevice {
  return new Proxy(device, {
    get(target, key) {
      if (key === method) return replacement;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Counts the beats that leave for one MAC address and for everybody; to be plugged in where the address is. */
function listenAt(where: Segment, mac: number): { unicast: number; broadcast: number } {
  const heard = { unicast: 0, broadcast: 0 };
  const port = where.network.port({ mac: where.newMac() });
  port.open((batch) => {
    const frame = batch.frame(0);
    if (readU16(frame, 12) !== EtherType.arp || frame.length < 106) return;
    if (readU32(frame, 0) === 0xffff_ffff) heard.broadcast++;
    else if (readU16(frame, 0) * 2 ** 32 + readU32(frame, 2) === mac) heard.unicast++;
  });
  return heard;
}
