import { ArpOperation } from '@rfsis/arp';
import { BEAT_FRAME_OCTETS } from '@rfsis/heartbeat';
import { readU48, type LinkDevice } from '@rfsis/link';
import { beforeEach, describe, expect, it } from 'vitest';
import { macOf } from '../frames.js';
import { Segment, type Place } from './segment.js';

const KEY = '00112233445566778899aabbccddeeff';
const OTHER_KEY = 'ffeeddccbbaa99887766554433221100';

let segment: Segment;
beforeEach(() => {
  segment = new Segment();
});

function withKey(key: string | string[]): { configuration: object } {
  return { configuration: { sync: { key } } };
}

/** Starts alpha alone, then beta, and says how beta's start ended. */
async function startOneAfterTheOther(alpha: Place, beta: Place): Promise<unknown> {
  const first = alpha.node.start();
  await segment.run(1000);
  await first;
  const second = beta.node.start().then(
    () => 'started',
    (error: unknown) => error,
  );
  await segment.run(2000);
  return second;
}

describe('keys', () => {
  it('of both nodes are the same: the pair finds itself', async () => {
    const { alpha, beta } = await segment.pair(withKey(KEY));
    expect([alpha.node.role, beta.node.role]).toEqual(['main', 'backup']);
  });

  it('can be changed: each node takes what the other signs with', async () => {
    const { alpha, beta } = await segment.pair(withKey([KEY, OTHER_KEY]), withKey([OTHER_KEY, KEY]));
    expect([alpha.node.role, beta.node.role]).toEqual(['main', 'backup']);
  });

  it.each([
    [
      'that differ',
      withKey(KEY),
      withKey(OTHER_KEY),
      'unauthentic',
      'fail authentication: give both nodes the same sync.key, or look for a forger',
    ],
    [
      'of which the other node has none',
      withKey(KEY),
      {},
      'unsigned',
      'without a signature: give both nodes the same sync.key',
    ],
    [
      'of which this node has none',
      {},
      withKey(KEY),
      'unexpected-mac',
      'signed heartbeats, but this node has no sync.key: give both nodes the same',
    ],
  ])(
    '%s are blamed by both nodes, and the second does not start',
    async (_how, one, other, reason, words) => {
      const [alpha, beta] = [segment.alpha(one), segment.beta(other)];
      const failure = await startOneAfterTheOther(alpha, beta);
      expect(failure).toMatchObject({
        code: 'RFSIS_ADDRESS_IN_USE',
        message: expect.stringContaining('give both nodes the same sync.key') as string,
      });
      const [rejected] = alpha.logged('rejected');
      expect(rejected).toMatchObject({ reason, mac: beta.port.mac.toString(), level: 'warn' });
      expect(rejected?.['message']).toContain(words);
      expect(alpha.node.serving).toBe(true);
      expect(alpha.node.status().peer.alive).toBe(false);
    },
  );
});

describe('beats', () => {
  /** Records what a device sends. */
  function recording(frames: Uint8Array[]): (device: LinkDevice) => LinkDevice {
    return (device) =>
      new Proxy(device, {
        get(target, key) {
          if (key === 'send') {
            return (frame: Uint8Array, length = frame.length) => {
              if (length === BEAT_FRAME_OCTETS) frames.push(frame.slice());
              return target.send(frame, length);
            };
          }
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
  }

  /** ARP replies: no announcements, which are requests. */
  function beatsOf(frames: readonly Uint8Array[]): Uint8Array[] {
    return frames.filter((frame) => frame[21] === ArpOperation.reply);
  }

  function destinationsOf(frames: readonly Uint8Array[]): Set<number> {
    return new Set(beatsOf(frames).map((frame) => readU48(frame, 0)));
  }

  it('go to everybody until the peer is known, then to the peer', async () => {
    const frames: Uint8Array[] = [];
    const alpha = segment.alpha({ wrapDevice: recording(frames) });
    const beta = segment.beta();
    const started = Promise.all([alpha.node.start(), beta.node.start()]);
    await segment.run(0);
    expect(destinationsOf(frames)).toEqual(new Set([0xffff_ffff_ffff]));
    await segment.run(1000);
    await started;
    frames.length = 0;
    await segment.run(1000);
    expect(destinationsOf(frames)).toEqual(new Set([beta.port.mac.value]));
    expect(beatsOf(frames)).toHaveLength(50);
  });

  it('that were heard before are counted, believed no more, and make nobody talk', async () => {
    const old: Uint8Array[] = [];
    const said: Uint8Array[] = [];
    const { alpha, beta } = await segment.pair(
      { ...withKey(KEY), wrapDevice: recording(said) },
      { ...withKey(KEY), wrapDevice: recording(old) },
    );
    beta.node.destroy();
    await segment.run(150);
    const intruder = segment.network.port({ mac: macOf(99) });
    intruder.open(() => undefined);
    said.length = 0;
    const flips = old.map((frame) => {
      const forged = frame.slice();
      forged[60] = (forged[60] as number) ^ 1;
      return forged;
    });
    for (let time = 0; time < 10; time++) {
      for (const frame of [...old, ...flips]) intruder.send(frame);
      await segment.run(10);
    }
    const { heartbeat, peer, sync } = alpha.node.status();
    expect(heartbeat.replayed).toBeGreaterThan(old.length * 5);
    expect(heartbeat.forged).toBeGreaterThan(0);
    expect([peer.alive, sync.state]).toEqual([false, 'solo']);
    // Five of the grid in a tenth of a second, and no more than one answer for each.
    expect(said.length).toBeLessThanOrEqual(10);
    expect(alpha.node.epoch).toBe(1);
  });

  it('of an incarnation of its own from before are no peer', async () => {
    const own: Uint8Array[] = [];
    const alpha = segment.alpha({ ...withKey(KEY), wrapDevice: recording(own) });
    const started = alpha.node.start();
    await segment.run(1000);
    await started;
    const intruder = segment.network.port({ mac: macOf(99) });
    intruder.open(() => undefined);
    for (const frame of own) {
      // Reflected: from another source, or the switch would move alpha.
      frame.set([2, 0, 0, 0, 0, 99], 6);
      intruder.send(frame);
    }
    await segment.run(100);
    expect(alpha.node.status().peer).toMatchObject({ alive: false, role: null });
    expect(alpha.node.serving).toBe(true);
  });
});

describe('the adaptive detector', () => {
  it('gives the peer up no sooner than the timeout', async () => {
    const { alpha, beta } = await segment.pair({ configuration: { heartbeat: { detector: 'phi' } } });
    expect(beta.node.status().heartbeat.detector).toBe('phi');
    alpha.node.destroy();
    await segment.run(75);
    expect(beta.node.serving).toBe(false);
    await segment.run(100);
    expect(beta.node.serving).toBe(true);
    expect(beta.logged('takeover')[0]?.['detectMs']).toBeGreaterThanOrEqual(100);
  });
});
