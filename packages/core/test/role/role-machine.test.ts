import { SeededRandom, randomBelow } from '@rfsis/link';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { ArbiterVerdict } from '../../src/role/arbiter.js';
import { RoleMachine } from '../../src/role/role-machine.js';
import { INTERVAL_MS, MachinePair, TIMEOUT_MS, type MachineNode } from './machine-pair.js';

vi.setConfig({ testTimeout: 60_000 });

function roles(pair: MachinePair): string {
  return `${pair.a.role}/${pair.b.role}`;
}

describe('joining', () => {
  it('makes the preferred node main when both start in the same instant', () => {
    const pair = MachinePair.settled();
    expect(roles(pair)).toBe('main/backup');
    expect(pair.bothServedMs).toBe(0);
    expect(pair.a.claims).toMatchObject([{ epoch: 1, reason: 'nobody-serves' }]);
  });

  it('makes a lone node main, whatever it prefers', () => {
    const pair = new MachinePair();
    pair.b.start(0);
    pair.run(700);
    expect(pair.b.role).toBe('main');
  });

  it('does not steal from a node that serves already', () => {
    const pair = new MachinePair();
    pair.b.start(0);
    pair.run(700);
    pair.a.start(pair.nowMs);
    pair.run(1000);
    expect(roles(pair)).toBe('backup/main');
    expect(pair.b.claims).toHaveLength(1);
  });

  it('settles on one main when both prefer to be main', () => {
    const pair = new MachinePair({ preferred: true });
    pair.a.start(0);
    pair.b.start(0);
    pair.run(1000);
    expect(roles(pair)).toBe('main/backup');
    expect(pair.bothServedMs).toBe(0);
  });

  it('waits while the service address is not known to be free', () => {
    const pair = new MachinePair();
    pair.a.start(0);
    pair.a.machine.onCarrier(0, false);
    pair.run(1000);
    expect(pair.a.role).toBe('joining');
  });

  it('does not claim while the arbiter says no', () => {
    const pair = new MachinePair();
    pair.a.granted = false;
    pair.a.start(0);
    pair.run(1000);
    expect(pair.a.role).toBe('joining');
    expect(pair.a.machine.ready).toBe(false);
    // The way has only just opened: it listens once more.
    pair.a.granted = true;
    pair.run(TIMEOUT_MS);
    expect(pair.a.role).toBe('joining');
    pair.run(2 * TIMEOUT_MS);
    expect(pair.a.role).toBe('main');
  });
});

describe('takeover', () => {
  it('follows the death of the main within the timeout', () => {
    const pair = MachinePair.settled();
    const diedAtMs = pair.nowMs;
    pair.a.kill();
    pair.run(200);
    expect(pair.b.role).toBe('main');
    expect(pair.b.claims).toMatchObject([{ epoch: 2, reason: 'peer-silent' }]);
    expect((pair.b.claims[0]?.atMs ?? 0) - diedAtMs).toBeLessThanOrEqual(TIMEOUT_MS + 2);
  });

  it('goes back and forth ten times, with a rising epoch', () => {
    const pair = MachinePair.settled();
    let [main, backup]: [MachineNode, MachineNode] = [pair.a, pair.b];
    for (let round = 1; round <= 10; round++) {
      main.kill();
      pair.run(200);
      expect(backup.machine.serving).toBe(true);
      expect(backup.machine.epoch).toBe(round + 1);
      main.start(pair.nowMs);
      pair.run(300);
      expect(main.role).toBe('backup');
      [main, backup] = [backup, main];
    }
    expect(pair.bothServedMs).toBe(0);
  });

  it('follows at once when the main comes back before the timeout and says that it is not main', () => {
    const pair = MachinePair.settled();
    pair.a.kill();
    pair.run(INTERVAL_MS);
    pair.a.start(pair.nowMs);
    pair.run(INTERVAL_MS);
    expect(pair.b.claims).toMatchObject([{ reason: 'peer-not-main' }]);
    pair.run(500);
    expect(roles(pair)).toBe('backup/main');
  });

  it('does not happen while the carrier is gone', () => {
    const pair = MachinePair.settled();
    pair.b.setCarrier(pair.nowMs, false);
    pair.run(1000);
    expect(pair.b.claims).toHaveLength(0);
    pair.b.setCarrier(pair.nowMs, true);
    pair.run(1000);
    expect(roles(pair)).toBe('main/backup');
    expect(pair.b.claims).toHaveLength(0);
  });
});

describe('a main that was away', () => {
  it('asks, and goes on when the backup has not taken over', () => {
    const pair = MachinePair.settled();
    pair.b.granted = false;
    pair.a.frozen = true;
    pair.run(3 * TIMEOUT_MS);
    pair.a.frozen = false;
    pair.run(5);
    expect(pair.a.serves).toBe(true);
    expect(pair.a.claims.at(-1)).toMatchObject({ epoch: 1, reason: 'still-main' });
  });

  it('is fenced when the backup has taken over, and serves not for a millisecond', () => {
    const pair = MachinePair.settled();
    pair.a.frozen = true;
    pair.run(2000);
    expect(pair.b.serves).toBe(true);
    pair.a.frozen = false;
    pair.run(1000);
    expect(pair.a.changes).toContain('main>fenced:rival');
    expect(roles(pair)).toBe('backup/main');
    expect(pair.bothServedMs).toBe(0);
  });

  it('goes on alone when there is no backup and the arbiter agrees', () => {
    const pair = MachinePair.settled();
    pair.b.kill();
    pair.run(200);
    pair.a.frozen = true;
    pair.run(200);
    pair.a.frozen = false;
    pair.run(TIMEOUT_MS + 2);
    expect(pair.a.serves).toBe(true);
  });

  it('does not trust what was said before it woke', () => {
    const pair = MachinePair.settled();
    pair.a.frozen = true;
    pair.run(5);
    // The backup's old beats wait; from now on nothing new reaches the main.
    pair.wire.loses = (sender) => sender === pair.b;
    pair.run(500);
    pair.a.frozen = false;
    pair.run(TIMEOUT_MS - 2);
    expect(pair.a.serves).toBe(false);
  });

  it('stays silent without a carrier and asks when it is back', () => {
    const pair = MachinePair.settled();
    pair.a.setCarrier(pair.nowMs, false);
    pair.run(1000);
    expect(pair.b.serves).toBe(true);
    pair.a.setCarrier(pair.nowMs, true);
    pair.run(500);
    expect(roles(pair)).toBe('backup/main');
    expect(pair.bothServedMs).toBe(0);
  });
});

describe('rivals', () => {
  it('of a lower epoch are fenced', () => {
    const pair = MachinePair.settled();
    pair.wire.loses = () => true;
    pair.run(300);
    expect(roles(pair)).toBe('main/main');
    pair.wire.loses = () => false;
    pair.run(300);
    expect(roles(pair)).toBe('backup/main');
    expect(pair.b.machine.epoch).toBe(2);
  });

  it('of the same epoch are told apart by address, and the winner moves on to a new epoch', () => {
    const pair = new MachinePair();
    pair.wire.loses = () => true;
    pair.a.start(0);
    pair.b.start(0);
    pair.run(800);
    expect([pair.a.machine.epoch, pair.b.machine.epoch]).toEqual([1, 1]);
    pair.wire.loses = () => false;
    pair.run(500);
    expect(roles(pair)).toBe('main/backup');
    expect(pair.a.machine.epoch).toBe(2);
  });

  it('are avoided when only the side with the witness may serve', () => {
    const pair = MachinePair.settled();
    pair.a.granted = false;
    pair.wire.loses = () => true;
    pair.run(300);
    expect(pair.a.changes).toContain('main>fenced:isolated');
    expect(pair.b.serves).toBe(true);
    expect(pair.a.serves).toBe(false);
    pair.wire.loses = () => false;
    pair.run(300);
    expect(roles(pair)).toBe('backup/main');
  });
});

describe('handover', () => {
  it('takes one round trip', () => {
    const pair = MachinePair.settled();
    let handedOver: boolean | undefined;
    expect(pair.a.machine.handOver(pair.nowMs, (result) => (handedOver = result))).toBeUndefined();
    pair.run(10);
    expect(handedOver).toBe(true);
    expect(roles(pair)).toBe('backup/main');
    expect(pair.nobodyServedMs).toBeLessThanOrEqual(4);
    expect(pair.bothServedMs).toBe(0);
  });

  it('is refused where it makes no sense', () => {
    const pair = MachinePair.settled();
    const done = (): void => undefined;
    expect(pair.b.machine.handOver(pair.nowMs, done)).toBe('not-main');
    pair.b.kill();
    pair.run(200);
    expect(pair.a.machine.handOver(pair.nowMs, done)).toBe('no-backup');
  });

  it('is undone when the backup does not answer', () => {
    const pair = MachinePair.settled();
    let handedOver: boolean | undefined;
    pair.b.frozen = true;
    pair.a.machine.handOver(pair.nowMs, (result) => (handedOver = result));
    expect(pair.a.serves).toBe(false);
    pair.run(TIMEOUT_MS + 1);
    expect(handedOver).toBe(false);
    pair.run(TIMEOUT_MS + 1);
    expect(pair.a.serves).toBe(true);
    // The request that waited while the backup was frozen is void.
    pair.b.frozen = false;
    pair.run(500);
    expect(roles(pair)).toBe('main/backup');
    expect(pair.b.claims).toHaveLength(0);
  });

  it('is done by itself for a preferred peer with preempt', () => {
    const pair = MachinePair.settled({ preempt: true });
    pair.a.kill();
    pair.run(200);
    pair.a.start(pair.nowMs);
    pair.run(2000);
    expect(roles(pair)).toBe('main/backup');
    expect(pair.a.claims.at(-1)).toMatchObject({ reason: 'handover' });
  });
});

describe('an arbiter that takes its time', () => {
  /** How long the machine below listens before it claims. */
  const LISTEN_MS = 300;

  /** A machine whose questions wait for the test to answer them. */
  function alone() {
    const calls: string[] = [];
    const questions: ((verdict: ArbiterVerdict) => void)[] = [];
    const machine = new RoleMachine(
      {
        preferred: true,
        lowerAddress: true,
        intervalMs: INTERVAL_MS,
        timeoutMs: TIMEOUT_MS,
        preempt: false,
      },
      {
        serve: (epoch, reason) => calls.push(`serve ${epoch} ${reason}`),
        silence: () => calls.push('silence'),
        reassert: () => undefined,
        beat: () => undefined,
        renewSession: () => undefined,
        consult: (done) => questions.push(done),
        roleChanged: (_from, to, reason) => calls.push(`${to} ${reason}`),
        protectionChanged: () => undefined,
      },
    );
    const answer = (granted: boolean, answeredAtMs: number): void => {
      questions.at(-1)?.({ granted, answeredAtMs, evidence: 'test' });
    };
    /** Runs the timer whenever it is due, until then. */
    const runUntil = (nowMs: number): void => {
      for (let atMs = machine.pollAt(); atMs <= nowMs; atMs = machine.pollAt()) machine.onTimer(atMs);
    };
    return { machine, calls, questions, answer, runUntil };
  }

  /** Alone, main, and in doubt since `wokeAtMs`. */
  function doubting(wokeAtMs: number) {
    const scene = alone();
    scene.machine.start(0);
    scene.machine.onAddressFree(0);
    scene.runUntil(LISTEN_MS);
    scene.answer(true, LISTEN_MS);
    expect(scene.machine.serving).toBe(true);
    scene.machine.onLeaseExpired(wokeAtMs);
    scene.runUntil(wokeAtMs + TIMEOUT_MS);
    scene.calls.length = 0;
    return scene;
  }

  it('is asked once by a main in doubt, which waits for the answer', () => {
    const { machine, questions, answer, runUntil, calls } = doubting(1000);
    const asked = questions.length;
    runUntil(1000 + 10 * TIMEOUT_MS);
    expect(questions).toHaveLength(asked);
    expect(machine.verifying).toBe(true);
    answer(false, 2000);
    expect([machine.role, calls]).toEqual(['fenced', ['silence', 'fenced isolated']]);
  });

  it('lets a main in doubt go on when it agrees', () => {
    const { machine, answer, calls } = doubting(1000);
    answer(true, 1060);
    expect([machine.serving, calls]).toEqual([true, ['serve 1 still-main']]);
  });

  it('whose answer waited while the main was away again says nothing about now', () => {
    const { machine, answer, calls } = doubting(1000);
    machine.onLeaseExpired(5000);
    answer(true, 5000);
    expect([machine.verifying, calls]).toEqual([true, []]);
  });

  it('is asked anew after that', () => {
    const { machine, questions, answer, runUntil } = doubting(1000);
    machine.onLeaseExpired(5000);
    const asked = questions.length;
    runUntil(5000 + TIMEOUT_MS);
    expect(questions).toHaveLength(asked + 1);
    answer(true, 5000 + TIMEOUT_MS);
    expect(machine.serving).toBe(true);
  });

  it('and agrees late makes a main in doubt listen once more before it asks again', () => {
    const { machine, questions, answer, runUntil, calls } = doubting(1000);
    const asked = questions.length;
    const lateMs = 1000 + TIMEOUT_MS + 2 * INTERVAL_MS + 1;
    answer(true, lateMs);
    expect([machine.verifying, calls]).toEqual([true, []]);
    runUntil(lateMs + TIMEOUT_MS);
    expect(questions).toHaveLength(asked + 1);
    answer(true, lateMs + TIMEOUT_MS);
    expect(machine.serving).toBe(true);
  });

  it('is asked anew when the carrier was gone meanwhile', () => {
    const { machine, questions, runUntil } = doubting(1000);
    const asked = questions.length;
    machine.onCarrier(1100, false);
    machine.onCarrier(1500, true);
    runUntil(1500 + TIMEOUT_MS);
    expect(questions).toHaveLength(asked + 1);
    expect(machine.verifying).toBe(true);
  });

  it('whose answer comes after the peer has spoken does not matter any more', () => {
    const { machine, questions, calls } = doubting(1000);
    const late = questions.at(-1);
    machine.onBeat(1060, {
      kind: 'beat',
      role: 'backup',
      epoch: 1,
      preferred: false,
      ready: true,
      current: true,
    });
    expect(machine.serving).toBe(true);
    late?.({ granted: false, answeredAtMs: 1070, evidence: 'test' });
    expect([machine.serving, calls]).toEqual([true, ['serve 1 still-main']]);
  });

  it('that denies a claim is asked again after a timeout; when it agrees, the node listens once more', () => {
    const { machine, questions, answer, runUntil } = alone();
    machine.start(0);
    machine.onAddressFree(0);
    runUntil(LISTEN_MS);
    expect(questions).toHaveLength(1);
    answer(false, 400);
    expect(machine.ready).toBe(false);
    runUntil(400 + TIMEOUT_MS - 1);
    expect(questions).toHaveLength(1);
    runUntil(400 + TIMEOUT_MS);
    expect(questions).toHaveLength(2);
    answer(true, 450);
    expect([machine.serving, machine.ready]).toEqual([false, true]);
    runUntil(450 + TIMEOUT_MS);
    answer(true, 500);
    expect(machine.serving).toBe(true);
  });

  it('whose consent waited while a node was away does not make it main', () => {
    const { machine, answer, runUntil, calls } = alone();
    machine.start(0);
    machine.onAddressFree(0);
    runUntil(LISTEN_MS);
    machine.onLeaseExpired(5000);
    answer(true, 5000);
    expect([machine.role, calls]).toEqual(['joining', []]);
  });
});

describe('hello', () => {
  it('of a main puts off a claim, but not for ever', () => {
    const pair = new MachinePair();
    pair.a.start(0);
    const hello = (): void => {
      pair.a.machine.onHello(pair.nowMs, { kind: 'beat', role: 'main' });
    };
    pair.run(1000, hello);
    expect(pair.a.role).toBe('joining');
    pair.run(3000, hello);
    expect(pair.a.role).toBe('main');
    expect(pair.a.machine.epoch).toBe(1);
  });
});

describe('any schedule of faults', () => {
  const fault = fc.record({
    atMs: fc.integer({ min: 0, max: 3000 }),
    node: fc.constantFrom('a' as const, 'b' as const),
    kind: fc.constantFrom(
      'kill',
      'start',
      'freeze',
      'thaw',
      'deafen',
      'undeafen',
      'unplug',
      'plug',
      'handover',
    ),
  });

  it('ends with exactly one main once the faults are over', () => {
    fc.assert(
      fc.property(fc.array(fault, { maxLength: 20 }), (faults) => {
        const pair = MachinePair.settled();
        pair.a.timersFirst = faults.length % 2 === 0;
        pair.b.timersFirst = faults.length % 3 === 0;
        const beganAtMs = pair.nowMs;
        const deaf = new Set<MachineNode>();
        pair.wire.loses = (sender) => deaf.has(sender.peer);
        pair.run(3100, (nowMs) => {
          for (const { atMs, node, kind } of faults) {
            if (beganAtMs + atMs === nowMs) strike(pair, pair[node], kind, deaf);
          }
        });
        deaf.clear();
        for (const node of [pair.a, pair.b]) {
          if (!node.alive) node.start(pair.nowMs);
          node.frozen = false;
          if (!node.carrier) node.setCarrier(pair.nowMs, true);
        }
        pair.run(30 * TIMEOUT_MS);
        expect([pair.a.serves, pair.b.serves].filter(Boolean)).toHaveLength(1);
        expect([pair.a.role, pair.b.role].sort()).toEqual(['backup', 'main']);
      }),
      { numRuns: 500 },
    );
  });

  it('ends with exactly one main although beats were lost, doubled, late and overtaken all the while', () => {
    fc.assert(
      fc.property(fc.array(fault, { maxLength: 12 }), fc.integer(), (faults, seed) => {
        const pair = MachinePair.settled();
        pair.a.timersFirst = faults.length % 2 === 0;
        const beganAtMs = pair.nowMs;
        const deaf = new Set<MachineNode>();
        const random = new SeededRandom(seed);
        pair.wire.loses = (sender) => deaf.has(sender.peer) || randomBelow(random, 5) === 0;
        pair.wire.delaysMs = () =>
          Array.from({ length: 1 + randomBelow(random, 2) }, () => 1 + randomBelow(random, 2 * TIMEOUT_MS));
        pair.run(3100, (nowMs) => {
          for (const { atMs, node, kind } of faults) {
            if (beganAtMs + atMs === nowMs) strike(pair, pair[node], kind, deaf);
          }
        });
        pair.wire.loses = () => false;
        pair.wire.delaysMs = () => [1];
        for (const node of [pair.a, pair.b]) {
          if (!node.alive) node.start(pair.nowMs);
          node.frozen = false;
          if (!node.carrier) node.setCarrier(pair.nowMs, true);
        }
        pair.run(30 * TIMEOUT_MS);
        expect([pair.a.serves, pair.b.serves].filter(Boolean)).toHaveLength(1);
        expect([pair.a.role, pair.b.role].sort()).toEqual(['backup', 'main']);
      }),
      { numRuns: 300 },
    );
  });

  it('has two mains for no longer than a round trip while nothing is lost and nobody is unplugged', () => {
    const mild = fc.record({
      atMs: fc.integer({ min: 0, max: 3000 }),
      node: fc.constantFrom('a' as const, 'b' as const),
      kind: fc.constantFrom('kill', 'start', 'freeze', 'thaw', 'handover'),
    });
    fc.assert(
      fc.property(fc.array(mild, { maxLength: 20 }), (faults) => {
        const pair = MachinePair.settled();
        pair.a.timersFirst = faults.length % 2 === 0;
        pair.b.timersFirst = faults.length % 3 === 0;
        const beganAtMs = pair.nowMs;
        pair.run(3500, (nowMs) => {
          for (const { atMs, node, kind } of faults) {
            if (beganAtMs + atMs === nowMs) strike(pair, pair[node], kind, new Set());
          }
        });
        // Two claims of the same instant cross on the wire.
        expect(pair.bothServedMs).toBeLessThanOrEqual(2);
      }),
      { numRuns: 500 },
    );
  });

  function strike(pair: MachinePair, node: MachineNode, kind: string, deaf: Set<MachineNode>): void {
    if (kind === 'start') {
      if (!node.alive) node.start(pair.nowMs);
    } else if (kind === 'kill') node.kill();
    else if (kind === 'freeze') node.frozen = true;
    else if (kind === 'thaw') node.frozen = false;
    else if (kind === 'deafen') deaf.add(node);
    else if (kind === 'undeafen') deaf.delete(node);
    else if (kind === 'unplug') node.setCarrier(pair.nowMs, false);
    else if (kind === 'plug') node.setCarrier(pair.nowMs, true);
    else if (node.alive && !node.frozen) node.machine.handOver(pair.nowMs, () => undefined);
  }
});
