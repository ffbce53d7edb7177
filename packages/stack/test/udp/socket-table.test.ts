import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SocketTable, type Endpoint } from '../../src/udp/socket-table.js';

interface Named extends Endpoint {
  readonly name: string;
}

function socket(
  name: string,
  local: [number, number],
  remote: [number, number] = [0, 0],
  reuse = false,
): Named {
  return {
    name,
    localAddress: local[0],
    localPort: local[1],
    remoteAddress: remote[0],
    remotePort: remote[1],
    reuseAddress: reuse,
  };
}

function table(...sockets: Named[]): SocketTable<Named> {
  const socketTable = new SocketTable<Named>();
  for (const each of sockets) socketTable.add(each);
  return socketTable;
}

describe('SocketTable', () => {
  it('finds the most specific match: connected, then bound to the address, then to any', () => {
    const sockets = table(
      socket('any', [0, 7]),
      socket('bound', [1, 7]),
      socket('connected any', [0, 7], [9, 99]),
      socket('connected', [1, 7], [9, 99]),
    );
    expect(sockets.lookup(1, 7, 9, 99)?.name).toBe('connected');
    expect(sockets.lookup(2, 7, 9, 99)?.name).toBe('connected any');
    expect(sockets.lookup(1, 7, 9, 98)?.name).toBe('bound');
    expect(sockets.lookup(2, 7, 8, 99)?.name).toBe('any');
    expect(sockets.lookup(1, 8, 9, 99)).toBeUndefined();
    expect(sockets.size).toBe(4);
    expect([...sockets].map((each) => each.name).sort()).toEqual([
      'any',
      'bound',
      'connected',
      'connected any',
    ]);
  });

  it('prefers the latest among equals', () => {
    const [first, second] = [socket('first', [1, 7], [0, 0], true), socket('second', [1, 7], [0, 0], true)];
    const sockets = table(first, second);
    expect(sockets.lookup(1, 7, 9, 99)?.name).toBe('second');
    sockets.remove(second);
    expect(sockets.lookup(1, 7, 9, 99)?.name).toBe('first');
    sockets.remove(second);
    expect(sockets.size).toBe(1);
    sockets.remove(first);
    expect([sockets.lookup(1, 7, 9, 99), sockets.size]).toEqual([undefined, 0]);
    sockets.remove(first);
    expect(sockets.size).toBe(0);
  });

  it('knows conflicts of binding', () => {
    const sockets = table(
      socket('one', [1, 7]),
      socket('any', [0, 8]),
      socket('shared', [1, 9], [0, 0], true),
      socket('connected', [1, 10], [9, 99]),
    );
    expect(sockets.conflicts(1, 7, false)).toBe(true);
    expect(sockets.conflicts(0, 7, false)).toBe(true);
    expect(sockets.conflicts(2, 7, false)).toBe(false);
    expect(sockets.conflicts(1, 7, true)).toBe(true);
    expect(sockets.conflicts(5, 8, false)).toBe(true);
    expect(sockets.conflicts(1, 9, false)).toBe(true);
    expect(sockets.conflicts(1, 9, true)).toBe(false);
    expect(sockets.conflicts(1, 10, false)).toBe(true);
    expect(sockets.conflicts(1, 11, false)).toBe(false);
  });

  it('agrees with a naive model on random sockets', () => {
    const endpoint = fc.record({
      local: fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 2 })),
      remote: fc.oneof(
        fc.constant<[number, number]>([0, 0]),
        fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
      ),
      removed: fc.boolean(),
    });
    const datagram = fc.tuple(fc.nat(3), fc.nat(2), fc.nat(2), fc.nat(2));
    fc.assert(
      fc.property(
        fc.array(endpoint, { maxLength: 12 }),
        fc.array(datagram, { maxLength: 20 }),
        (endpoints, datagrams) => {
          const all = endpoints.map(({ local, remote }, index) => socket(String(index), local, remote));
          const sockets = table(...all);
          const left = all.filter((each, index) => {
            if (endpoints[index]?.removed !== true) return true;
            sockets.remove(each);
            return false;
          });
          expect(sockets.size).toBe(left.length);
          for (const [localAddress, localPort, remoteAddress, remotePort] of datagrams) {
            const matches = left
              .filter((each) => each.localPort === localPort)
              .filter((each) => each.localAddress === 0 || each.localAddress === localAddress)
              .filter(
                (each) =>
                  each.remotePort === 0 ||
                  (each.remoteAddress === remoteAddress && each.remotePort === remotePort),
              );
            const score = (each: Named): number =>
              (each.remotePort !== 0 ? 1000 : 0) + (each.localAddress !== 0 ? 100 : 0) + Number(each.name);
            const best = matches.sort((a, b) => score(b) - score(a))[0];
            expect(sockets.lookup(localAddress, localPort, remoteAddress, remotePort)?.name).toBe(best?.name);
            const visited: string[] = [];
            sockets.forEachMatch(localAddress, localPort, remoteAddress, remotePort, (each) =>
              visited.push(each.name),
            );
            expect(visited.sort()).toEqual(matches.map((each) => each.name).sort());
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
