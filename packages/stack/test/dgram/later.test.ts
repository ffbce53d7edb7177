import { VirtualClock } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { Later } from '../../src/dgram/later.js';

describe('Later', () => {
  it('calls in order, after the present call, with one pending call of the clock', () => {
    const clock = new VirtualClock();
    const later = new Later(clock);
    const log: string[] = [];
    later.push(() => {
      log.push('a');
      later.push(() => log.push('c'));
    });
    later.push(() => log.push('b'));
    expect([log, clock.pending]).toEqual([[], 1]);
    clock.advance(0);
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it('calls the others when one throws', () => {
    const clock = new VirtualClock();
    const later = new Later(clock);
    const log: string[] = [];
    later.push(() => {
      later.push(() => log.push('last'));
      throw new Error('a mistake');
    });
    later.push(() => log.push('b'));
    expect(() => {
      clock.advance(0);
    }).toThrow('a mistake');
    clock.advance(0);
    expect([log, clock.pending]).toEqual([['b', 'last'], 0]);
  });
});
