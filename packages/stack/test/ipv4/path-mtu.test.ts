import { VirtualClock } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { PathMtuTable } from '../../src/ipv4/path-mtu.js';

function table(limits = {}) {
  const clock = new VirtualClock();
  const pathMtu = new PathMtuTable(clock, 1500, {
    pathMtuMinimum: 552,
    pathMtuMs: 600_000,
    pathMtuEntries: 4,
    ...limits,
  });
  return { clock, pathMtu };
}

describe('PathMtuTable', () => {
  it('begins with the MTU of the link (RFC 1191 3)', () => {
    const { pathMtu } = table();
    expect(pathMtu.get(1)).toBe(1500);
    expect(pathMtu.mayForbidFragmenting(1)).toBe(true);
  });

  it('RFC 1191 4: takes the next-hop MTU that the router tells, for that destination', () => {
    const { pathMtu } = table();
    expect(pathMtu.reduce(1, 1400, 1500)).toBe(true);
    expect([pathMtu.get(1), pathMtu.get(2)]).toEqual([1400, 1500]);
  });

  it('RFC 1191 3: never grows because of an error', () => {
    const { pathMtu } = table();
    pathMtu.reduce(1, 1000, 1500);
    expect(pathMtu.reduce(1, 1400, 1500)).toBe(false);
    expect(pathMtu.reduce(1, 1000, 1500)).toBe(false);
    expect(pathMtu.reduce(2, 2000, 1500)).toBe(false);
    expect([pathMtu.get(1), pathMtu.get(2)]).toEqual([1000, 1500]);
  });

  it('does not believe that a datagram was too big for an MTU it would fit', () => {
    const { pathMtu } = table();
    expect(pathMtu.reduce(1, 1400, 1400)).toBe(false);
  });

  it('RFC 1191 5, 7.1: without a next-hop MTU it goes down the plateaus', () => {
    const { pathMtu } = table();
    const steps = [1500, 1492, 1006].map((octets) => {
      pathMtu.reduce(1, 0, octets);
      return pathMtu.get(1);
    });
    expect(steps).toEqual([1492, 1006, 552]);
    expect(pathMtu.mayForbidFragmenting(1)).toBe(false);
  });

  it('does not go below the minimum, and lets routers fragment instead', () => {
    const { pathMtu } = table();
    expect(pathMtu.reduce(1, 300, 1500)).toBe(true);
    expect(pathMtu.get(1)).toBe(552);
    expect(pathMtu.mayForbidFragmenting(1)).toBe(false);
    expect(pathMtu.reduce(2, 552, 1500)).toBe(true);
    expect(pathMtu.mayForbidFragmenting(2)).toBe(true);
  });

  it('RFC 1191 6.3: forgets after ten minutes', () => {
    const { clock, pathMtu } = table();
    pathMtu.reduce(1, 1400, 1500);
    clock.advance(599_999);
    expect(pathMtu.get(1)).toBe(1400);
    clock.advance(1);
    expect(pathMtu.get(1)).toBe(1500);
    expect(pathMtu.size).toBe(0);
  });

  it('remembers a bounded number of destinations, the latest', () => {
    const { pathMtu } = table();
    for (let destination = 1; destination <= 10; destination++) pathMtu.reduce(destination, 1400, 1500);
    expect(pathMtu.size).toBe(4);
    expect([pathMtu.get(6), pathMtu.get(7), pathMtu.get(10)]).toEqual([1500, 1400, 1400]);
    pathMtu.clear();
    expect(pathMtu.get(10)).toBe(1500);
  });
});
