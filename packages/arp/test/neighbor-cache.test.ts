import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ARP_DEFAULTS } from '../src/index.js';
import { isUsable, NeighborCache, type Neighbor } from '../src/neighbor-cache.js';
import type { NeighborTiming } from '../src/options.js';

const A = 0x0a00_0001;
const B = 0xc0a8_0001;
const MAC = 0x0200_0000_0001;
const OTHER_MAC = 0x0200_0000_0002;

function cacheOf(timing: Partial<NeighborTiming> = {}): NeighborCache {
  return new NeighborCache({ ...ARP_DEFAULTS, ...timing });
}

function entry(cache: NeighborCache, address: number): Neighbor {
  const neighbor = cache.get(address);
  if (neighbor === undefined) throw new Error(`expected an entry for ${address}`);
  return neighbor;
}

describe('NeighborCache', () => {
  it('incomplete: asks at once, then once an interval, then gives up, then forgets', () => {
    const cache = cacheOf();
    const neighbor = cache.require(A, 100) as Neighbor;
    expect(neighbor.state).toBe('incomplete');
    expect(cache.use(A)).toBeUndefined();
    expect(cache.step(neighbor, 100)).toBe('ask');
    expect(cache.step(neighbor, 1099)).toBe('none');
    expect(cache.step(neighbor, 1100)).toBe('ask');
    expect(cache.step(neighbor, 2100)).toBe('ask');
    expect(cache.step(neighbor, 3099)).toBe('none');
    expect(cache.step(neighbor, 3100)).toBe('give-up');
    expect(neighbor.state).toBe('failed');
    expect(cache.nextDueMs()).toBe(4100);
    expect(cache.step(neighbor, 4100)).toBe('none');
    expect(cache.get(A)).toBeUndefined();
    expect(cache.nextDueMs()).toBe(Infinity);
  });

  it('an answer makes an incomplete or failed neighbour reachable', () => {
    const cache = cacheOf();
    const neighbor = cache.require(A, 0) as Neighbor;
    cache.step(neighbor, 0);
    expect(cache.update(A, MAC, 5)).toBe('resolved');
    expect(neighbor).toMatchObject({ state: 'reachable', mac: MAC, requests: 0, dueMs: 60_005 });
    neighbor.state = 'failed';
    expect(cache.update(A, MAC, 6)).toBe('resolved');
  });

  it('RFC 826: updates what it has, adds nothing by itself', () => {
    const cache = cacheOf();
    expect(cache.update(A, MAC, 0)).toBe('unknown');
    expect(cache.size).toBe(0);
    cache.insert(A, MAC, 0);
    expect(cache.update(A, MAC, 1)).toBe('refreshed');
    expect(cache.update(A, OTHER_MAC, 2)).toBe('moved');
    expect(entry(cache, A).mac).toBe(OTHER_MAC);
  });

  it('RFC 1122 2.3.2.1 (1): every packet from the neighbour starts the timeout again', () => {
    const cache = cacheOf({ reachableMs: 1000 });
    cache.insert(A, MAC, 0);
    cache.update(A, MAC, 900);
    cache.step(entry(cache, A), 1000);
    expect(entry(cache, A).state).toBe('reachable');
    cache.step(entry(cache, A), 1900);
    expect(entry(cache, A).state).toBe('stale');
  });

  it('RFC 1122 2.3.2.1 (2): polls a stale neighbour in use, forgets it after N polls without reply', () => {
    const cache = cacheOf({ reachableMs: 1000, pollLimit: 2 });
    cache.insert(A, MAC, 0);
    const neighbor = entry(cache, A);
    cache.step(neighbor, 1000);
    expect(cache.use(A)).toBe(neighbor);
    cache.verify(neighbor, 5000);
    expect(cache.step(neighbor, 5000)).toBe('poll');
    expect(neighbor.state).toBe('polling');
    expect(isUsable(neighbor)).toBe(true);
    cache.verify(neighbor, 5001);
    expect(cache.step(neighbor, 5001)).toBe('none');
    expect(cache.step(neighbor, 6000)).toBe('poll');
    expect(cache.step(neighbor, 7000)).toBe('none');
    expect(cache.get(A)).toBeUndefined();
  });

  it('a stale neighbour that is not used is forgotten without a packet', () => {
    const cache = cacheOf({ reachableMs: 1000, staleMs: 2000 });
    cache.insert(A, MAC, 0);
    const neighbor = entry(cache, A);
    cache.step(neighbor, 1000);
    expect(cache.step(neighbor, 2999)).toBe('none');
    expect(cache.get(A)).toBe(neighbor);
    expect(cache.step(neighbor, 3000)).toBe('none');
    expect(cache.get(A)).toBeUndefined();
  });

  it('RFC 1122 2.3.2.1 (4): advice from above keeps a neighbour reachable, or spares the poll', () => {
    const cache = cacheOf({ reachableMs: 1000 });
    cache.insert(A, MAC, 0);
    const neighbor = entry(cache, A);
    neighbor.confirmed = true;
    cache.step(neighbor, 1000);
    expect(neighbor).toMatchObject({ state: 'reachable', confirmed: false, dueMs: 2000 });
    cache.step(neighbor, 2000);
    expect(neighbor.state).toBe('stale');
    neighbor.confirmed = true;
    cache.verify(neighbor, 2500);
    expect(cache.step(neighbor, 2500)).toBe('none');
    expect(neighbor.state).toBe('reachable');
  });

  it('verify leaves fresh entries alone', () => {
    const cache = cacheOf();
    cache.insert(A, MAC, 0);
    cache.verify(entry(cache, A), 10);
    expect(entry(cache, A).state).toBe('reachable');
  });

  it('learn adds or overwrites a stale entry', () => {
    const cache = cacheOf();
    expect(cache.learn(A, MAC, 0)).toBe(true);
    expect(entry(cache, A)).toMatchObject({ state: 'stale', mac: MAC });
    cache.update(A, MAC, 1);
    expect(cache.learn(A, OTHER_MAC, 2)).toBe(true);
    expect(entry(cache, A)).toMatchObject({ state: 'stale', mac: OTHER_MAC });
  });

  it('retry gives only a failed entry another round, no sooner than the request rate allows', () => {
    const cache = cacheOf({ requestLimit: 1, failedMs: 100_000 });
    const neighbor = cache.require(A, 0) as Neighbor;
    cache.step(neighbor, 0);
    cache.retry(neighbor, 10);
    expect(neighbor.requests).toBe(1);
    expect(cache.step(neighbor, 1000)).toBe('give-up');
    neighbor.requestedMs = 900;
    cache.retry(neighbor, 1001);
    // A quicker check asked 101 ms ago: that one counts.
    expect(cache.step(neighbor, 1001)).toBe('none');
    expect(cache.step(neighbor, 2001)).toBe('give-up');
  });

  it('limit: the longest known that was never sent to goes first, then the least recently used', () => {
    const cache = cacheOf({ cacheEntries: 3 });
    for (const address of [1, 2, 3]) cache.insert(address, MAC, 0);
    cache.use(1);
    cache.insert(4, MAC, 1);
    expect([...cache.values()].map((each) => each.address)).toEqual([1, 3, 4]);
    cache.use(4);
    cache.use(3);
    cache.use(1);
    cache.insert(5, MAC, 2);
    expect([...cache.values()].map((each) => each.address)).toEqual([1, 3, 5]);
    expect(cache.evictions).toBe(2);
  });

  it('limit: what is being resolved or was just asked for stays, so that the request rate holds', () => {
    const cache = cacheOf({ cacheEntries: 2 });
    const first = cache.require(A, 0) as Neighbor;
    cache.step(first, 0);
    const second = cache.require(B, 0) as Neighbor;
    cache.step(second, 0);
    expect(cache.require(7, 10)).toBeUndefined();
    expect(cache.insert(7, MAC, 10)).toBe(false);
    expect(cache.learn(7, MAC, 10)).toBe(false);
    cache.update(A, MAC, 20);
    expect(cache.insert(7, MAC, 999)).toBe(false);
    expect(cache.insert(7, MAC, 1000)).toBe(true);
    expect(cache.get(A)).toBeUndefined();
  });

  it('limit: what is being resolved stays even when its timer is late', () => {
    const cache = cacheOf({ cacheEntries: 1 });
    cache.step(cache.require(A, 0) as Neighbor, 0);
    expect(cache.insert(B, MAC, 1500)).toBe(false);
  });

  it('holds addresses with the top bit set, however they are written', () => {
    const cache = cacheOf();
    cache.insert(B, MAC, 0);
    expect(cache.get(B | 0)?.address).toBe(B);
    expect(cache.delete(B)).toBe(true);
    cache.insert(B | 0, MAC, 0);
    expect(cache.get(B)?.address).toBe(B);
    cache.clear();
    expect(cache.size).toBe(0);
  });

  it('property: never above its limit, never two requests within the interval, always something due later', () => {
    const command = fc.record({
      kind: fc.constantFrom('require', 'update', 'insert', 'learn', 'use', 'confirm', 'delete'),
      address: fc.integer({ min: 1, max: 8 }),
      waitMs: fc.integer({ min: 0, max: 700 }),
    });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const cache = cacheOf({ cacheEntries: 5, reachableMs: 1500, staleMs: 2500 });
        const askedMs = new Map<number, number>();
        let nowMs = 0;
        for (const { kind, address, waitMs } of commands) {
          nowMs += waitMs;
          if (kind === 'require' && cache.get(address) === undefined) cache.require(address, nowMs);
          if (kind === 'update') cache.update(address, MAC, nowMs);
          if (kind === 'insert' && cache.get(address) === undefined) cache.insert(address, MAC, nowMs);
          if (kind === 'learn') cache.learn(address, MAC, nowMs);
          if (kind === 'confirm' && cache.get(address) !== undefined) entry(cache, address).confirmed = true;
          if (kind === 'use') {
            const used = cache.use(address);
            if (used !== undefined) cache.verify(used, nowMs);
          }
          for (const neighbor of cache.values()) {
            const action = cache.step(neighbor, nowMs);
            if (action === 'ask' || action === 'poll') {
              const lastMs = askedMs.get(neighbor.address) ?? -Infinity;
              expect(nowMs - lastMs).toBeGreaterThanOrEqual(1000);
              askedMs.set(neighbor.address, nowMs);
            }
          }
          expect(cache.size).toBeLessThanOrEqual(5);
          expect(cache.nextDueMs()).toBeGreaterThan(nowMs);
        }
      }),
      { numRuns: 300 },
    );
  });
});
