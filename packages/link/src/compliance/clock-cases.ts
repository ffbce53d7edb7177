// What every Clock must do.
import assert from 'node:assert/strict';
import type { Clock } from '../clock.js';
import type { ComplianceCase } from './compliance-case.js';

/** What a case needs of its surroundings. */
export interface ClockFixture {
  readonly clock: Clock;
  /** Lets time pass until `condition` holds, for two seconds of the clock at the most; returns whether it held. */
  readonly until: (condition: () => boolean) => Promise<boolean>;
}

type Case = ComplianceCase<ClockFixture>;

const timeCases: readonly Case[] = [
  {
    name: 'now() never goes back and wallTime() is a number of milliseconds',
    run: async ({ clock, until }) => {
      let last = clock.now();
      for (let step = 0; step < 5; step++) {
        let fired = false;
        clock.setTimer(1, () => (fired = true));
        assert.ok(await until(() => fired));
        assert.ok(clock.now() >= last + 1, 'now() counts milliseconds');
        last = clock.now();
      }
      assert.ok(Number.isFinite(clock.wallTime()));
    },
  },
  {
    name: 'a timer fires once, not early, and never within setTimer()',
    run: async ({ clock, until }) => {
      for (const delayMs of [0, 0.4, 1, 2.7, 12.5]) {
        const startMs = clock.now();
        let firedMs: number | undefined;
        let calls = 0;
        clock.setTimer(delayMs, () => {
          calls++;
          firedMs = clock.now();
        });
        assert.equal(calls, 0, 'setTimer() returns first');
        assert.ok(await until(() => calls > 0), `a timer of ${delayMs} ms fires`);
        assert.ok((firedMs ?? 0) >= startMs + delayMs, `a timer of ${delayMs} ms is not early`);
        assert.equal(await afterMs({ clock, until }, 3, () => calls), 1, 'once');
      }
    },
  },
  {
    name: 'a negative delay is none, an infinite one never ends',
    run: async ({ clock, until }) => {
      let forever = false;
      let atOnce = false;
      const endless = clock.setTimer(Number.POSITIVE_INFINITY, () => (forever = true));
      const distant = clock.setTimer(2 ** 40, () => (forever = true));
      clock.setTimer(-5, () => (atOnce = true));
      assert.ok(await until(() => atOnce));
      assert.equal(await afterMs({ clock, until }, 5, () => forever), false);
      endless.cancel();
      distant.cancel();
    },
  },
];

const orderCases: readonly Case[] = [
  {
    name: 'timers fire in the order of their due times',
    run: async ({ clock, until }) => {
      const order: number[] = [];
      for (const delayMs of [30, 10, 20]) clock.setTimer(delayMs, () => order.push(delayMs));
      assert.ok(await until(() => order.length === 3));
      assert.deepEqual(order, [10, 20, 30]);
    },
  },
  {
    name: 'cancel() keeps a timer from firing, also from the callback of another one, and may be called again',
    run: async ({ clock, until }) => {
      let calls = 0;
      const doomed = clock.setTimer(4, () => calls++);
      const later = clock.setTimer(6, () => calls++);
      const killer = clock.setTimer(2, () => {
        later.cancel();
      });
      doomed.cancel();
      doomed.cancel();
      assert.equal(await afterMs({ clock, until }, 12, () => calls), 0);
      killer.cancel();
      later.cancel();
    },
  },
  {
    name: 'a timer may be set and a fired one cancelled from within its callback',
    run: async ({ clock, until }) => {
      let second = false;
      const first = clock.setTimer(1, () => {
        first.cancel();
        clock.setTimer(1, () => (second = true));
      });
      assert.ok(await until(() => second));
    },
  },
  {
    name: 'defer() runs once, after the current call and before any timer that is not yet due',
    run: async ({ clock, until }) => {
      const order: string[] = [];
      clock.setTimer(20, () => order.push('timer'));
      clock.defer(() => order.push('deferred'));
      const cancelled = clock.defer(() => order.push('cancelled'));
      cancelled.cancel();
      order.push('now');
      assert.ok(await until(() => order.includes('timer')));
      assert.deepEqual(order, ['now', 'deferred', 'timer']);
    },
  },
];

/** What `value` gives after `delayMs` milliseconds of the clock. */
async function afterMs<Value>(fixture: ClockFixture, delayMs: number, value: () => Value): Promise<Value> {
  let over = false;
  fixture.clock.setTimer(delayMs, () => (over = true));
  assert.ok(await fixture.until(() => over));
  return value();
}

/** The requirements of {@link Clock}. */
export function clockCompliance(): readonly Case[] {
  return [...timeCases, ...orderCases];
}
