// Two whole nodes, each with a sender and a monitor, put together as an application of both packages does it.
import { BeatCodec, HeartbeatSender, SessionId } from '@rfsis/heartbeat';
import {
  MemorySwitch,
  SeededRandom,
  VirtualClock,
  randomBelow,
  randomFraction,
  type Ipv4Address,
  type MacAddress,
  type MemoryPort,
  type Random,
} from '@rfsis/link';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FixedTimeoutDetector, PeerMonitor, type PeerDeath } from '../src/index.js';
import {
  BACKUP_IP,
  BACKUP_MAC,
  INTERVAL_MS,
  KEY,
  MAIN_IP,
  MAIN_MAC,
  SERVICE_IP,
  TIMEOUT_MS,
} from './fixtures.js';

/** One incarnation of a node. */
class Incarnation {
  readonly session: SessionId;
  readonly sender: HeartbeatSender;
  readonly monitor: PeerMonitor;
  readonly deaths: PeerDeath['reason'][] = [];
  readonly port: MemoryPort;
  births = 0;

  constructor(world: World, mac: MacAddress, nodeAddress: Ipv4Address, peerAddress: Ipv4Address) {
    this.session = SessionId.random(world.random);
    this.port = world.network.port({ mac });
    const common = {
      device: this.port,
      clock: world.time,
      codec: new BeatCodec([KEY]),
      nodeAddress,
      peerAddress,
      session: this.session,
      intervalMs: INTERVAL_MS,
    };
    this.sender = new HeartbeatSender({
      ...common,
      state: () => ({
        role: 'joining',
        preferred: false,
        ready: false,
        protected: false,
        epoch: 0,
        progress: 0,
        echo: this.monitor.echo ?? SessionId.NONE,
      }),
    });
    this.monitor = new PeerMonitor({
      ...common,
      detector: new FixedTimeoutDetector(TIMEOUT_MS),
      watchAddress: SERVICE_IP,
      handlers: {
        onHello: (_beat, mac) => {
          this.sender.beatNow('beat', mac);
        },
        onPeerAlive: (_beat, mac) => {
          this.births++;
          this.sender.setPeerMac(mac);
        },
        onPeerDead: (death) => {
          this.deaths.push(death.reason);
          this.sender.setPeerMac(undefined);
        },
      },
    });
    this.monitor.open();
    this.sender.start();
  }

  /** Power loss. */
  kill(): void {
    this.sender.stop();
    this.monitor.close();
    this.port.unplug();
  }

  sees(other: Incarnation): boolean {
    return this.monitor.state === 'alive' && this.monitor.peerSession?.equals(other.session) === true;
  }
}

class World {
  readonly time = new VirtualClock();
  readonly network: MemorySwitch;
  readonly random: Random;
  readonly captured: Uint8Array[] = [];

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.network = new MemorySwitch({ clock: this.time });
    // A tap on every cable: unicast is recorded too.
    const forward = this.network.forward.bind(this.network);
    this.network.forward = (ingress, frame) => {
      if (this.captured.length < 2000) this.captured.push(frame.slice());
      forward(ingress, frame);
    };
  }

  main(): Incarnation {
    return new Incarnation(this, MAIN_MAC, MAIN_IP, BACKUP_IP);
  }

  backup(): Incarnation {
    return new Incarnation(this, BACKUP_MAC, BACKUP_IP, MAIN_IP);
  }

  /** Loses a share of all frames from now on. */
  lose(fraction: number): void {
    const forward = this.network.forward.bind(this.network);
    this.network.forward = (ingress, frame) => {
      if (randomFraction(this.random) >= fraction) forward(ingress, frame);
    };
  }
}

describe('two nodes', () => {
  it('started in the same instant know each other after one exchange', () => {
    const world = new World(1);
    const main = world.main();
    const backup = world.backup();
    world.time.advance(1.5 * INTERVAL_MS);
    expect(main.sees(backup)).toBe(true);
    expect(backup.sees(main)).toBe(true);
    world.time.advance(1000);
    expect([...main.deaths, ...backup.deaths]).toEqual([]);
    expect(main.births + backup.births).toBe(2);
    expect(main.monitor.statistics().counters.drops.unauthentic).toBe(0);
    expect(backup.monitor.statistics()).toMatchObject({ lost: 0, sessions: 1 });
  });

  it('one starting later is known within a round trip, by the answer to its hello', () => {
    const world = new World(2);
    const main = world.main();
    world.time.advance(1003);
    const backup = world.backup();
    world.time.advance(0.2);
    expect(backup.sees(main)).toBe(true);
    world.time.advance(INTERVAL_MS);
    expect(main.sees(backup)).toBe(true);
  });

  it('the peer is killed: dead after the timeout, not sooner', () => {
    const world = new World(3);
    const main = world.main();
    const backup = world.backup();
    world.time.advance(1000);
    main.kill();
    world.time.advance(TIMEOUT_MS - INTERVAL_MS - 1);
    expect(backup.deaths).toEqual([]);
    world.time.advance(INTERVAL_MS + 2);
    expect(backup.deaths).toEqual(['silence']);
  });

  it('the peer restarts faster than the timeout: its old incarnation is dead all the same', () => {
    const world = new World(4);
    const main = world.main();
    const backup = world.backup();
    world.time.advance(1000);
    main.kill();
    world.time.advance(2);
    const restarted = world.main();
    world.time.advance(2 * INTERVAL_MS);
    expect(backup.deaths).toEqual(['restarted']);
    expect(backup.sees(restarted)).toBe(true);
    expect(restarted.sees(backup)).toBe(true);
  });

  it('we restart: the peer, whose beats echo our former session, is a hello until it has heard of us', () => {
    const world = new World(5);
    const main = world.main();
    const backup = world.backup();
    world.time.advance(1000);
    backup.kill();
    const again = world.backup();
    world.time.advance(2 * INTERVAL_MS);
    expect(again.sees(main)).toBe(true);
    expect(again.monitor.statistics().counters.drops.replayed).toBe(0);
    expect(main.deaths).toEqual(['restarted']);
  });

  it('both restart at once', () => {
    const world = new World(6);
    const first = [world.main(), world.backup()];
    world.time.advance(1000);
    for (const node of first) node.kill();
    const main = world.main();
    const backup = world.backup();
    world.time.advance(2 * INTERVAL_MS);
    expect(main.sees(backup) && backup.sees(main)).toBe(true);
    expect([...main.deaths, ...backup.deaths]).toEqual([]);
  });

  it('cut in one direction: who hears goes on, who does not hear declares death; healed, it is alive again', () => {
    const world = new World(7);
    const main = world.main();
    const backup = world.backup();
    world.time.advance(500);
    world.network.cut(main.port, backup.port);
    world.time.advance(200);
    expect(backup.deaths).toEqual(['silence']);
    expect(main.deaths).toEqual([]);
    world.network.heal(main.port, backup.port);
    world.time.advance(2 * INTERVAL_MS);
    expect(backup.sees(main)).toBe(true);
    expect(backup.monitor.statistics().lost).toBeGreaterThan(15);
  });

  it('one in five frames lost: they find each other, and false deaths are as rare as three losses in a row', () => {
    const world = new World(8);
    world.lose(0.2);
    const main = world.main();
    const backup = world.backup();
    world.time.advance(60_000);
    expect(main.sees(backup) && backup.sees(main)).toBe(true);
    // 6000 beats, each the last of three lost ones with probability 0.008 or less.
    expect(main.deaths.length).toBeLessThan(80);
    expect(main.deaths.every((reason) => reason === 'silence')).toBe(true);
  });

  it('property: after any sequence of kills and restarts, the two that live know exactly each other', () => {
    const step = fc.record({ who: fc.constantFrom('main', 'backup'), afterMs: fc.nat(100) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.nat(), fc.boolean(), (steps, seed, isLossy) => {
        const world = new World(seed);
        if (isLossy) world.lose(0.1);
        let main = world.main();
        let backup = world.backup();
        for (const { who, afterMs } of steps) {
          world.time.advance(afterMs);
          if (who === 'main') {
            main.kill();
            main = world.main();
          } else {
            backup.kill();
            backup = world.backup();
          }
        }
        for (let round = 0; round < 100 && !(main.sees(backup) && backup.sees(main)); round++) {
          world.time.advance(INTERVAL_MS);
        }
        expect(main.sees(backup) && backup.sees(main)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe('replay', () => {
  /** Everything said in the lives of several incarnations of the main. */
  function history(): { readonly world: World; readonly main: Incarnation; readonly backup: Incarnation } {
    const world = new World(9);
    let main = world.main();
    let backup = world.backup();
    for (let life = 0; life < 3; life++) {
      world.time.advance(200);
      main.kill();
      world.time.advance(50);
      main = world.main();
      if (life === 0) {
        backup.kill();
        backup = world.backup();
      }
    }
    world.time.advance(200);
    return { world, main, backup };
  }

  it('of all that was ever said, in any order, is no sign of life', () => {
    const { world, main, backup } = history();
    main.kill();
    world.time.advance(100);
    expect(backup.monitor.state).toBe('dead');
    const { births } = backup;
    const { accepted } = backup.monitor.statistics().counters;
    const attacker = world.network.port({ mac: MAIN_MAC });
    const recorded = [...world.captured];
    expect(recorded.length).toBeGreaterThan(100);
    for (let round = 0; round < 3000; round++) {
      attacker.send(recorded[randomBelow(world.random, recorded.length)] ?? new Uint8Array(60));
      if (round % 10 === 0) world.time.advance(1);
    }
    world.time.advance(10);
    expect(backup.births).toBe(births);
    expect(backup.monitor.state).toBe('dead');
    expect(backup.monitor.statistics().counters.accepted).toBe(accepted);
  });

  it('does not disturb a living pair, nor a restart during the attack', () => {
    const { world, main, backup } = history();
    const attacker = world.network.port({ mac: MAIN_MAC });
    // With a source of its own on the Ethernet, so that the switch is not confused.
    const recorded = world.captured.map((frame) => {
      const copy = frame.slice();
      copy[11] = 0x99;
      return copy;
    });
    let next = 0;
    const attack = (): void => {
      for (let round = 0; round < 5; round++)
        attacker.send(recorded[next++ % recorded.length] ?? new Uint8Array(60));
      world.time.setTimer(1, attack);
    };
    attack();
    const deathsBefore = backup.deaths.length;
    world.time.advance(1000);
    expect(backup.deaths).toHaveLength(deathsBefore);
    expect(backup.sees(main) && main.sees(backup)).toBe(true);
    main.kill();
    const restarted = world.main();
    world.time.advance(300);
    expect(backup.sees(restarted) && restarted.sees(backup)).toBe(true);
    expect(backup.deaths.slice(deathsBefore)).toEqual(['restarted']);
  });
});
