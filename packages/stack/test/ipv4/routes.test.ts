import { Ipv4Address, Ipv4Cidr } from '@rfsis/link';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Route, RouteTable } from '../../src/ipv4/routes.js';
import { cidr, ip } from '../network.js';

function table(addresses: string[], routes: [string, string][] = []): RouteTable {
  const routeTable = new RouteTable(8);
  for (const [prefix, gateway] of routes) routeTable.add(cidr(prefix), ip(gateway));
  routeTable.setAddresses(addresses.map(cidr));
  return routeTable;
}

function way(routes: RouteTable, destination: string): string | undefined {
  const route = routes.lookup(ip(destination).value);
  if (route === undefined) return undefined;
  const gateway = route.gateway === 0 ? 'link' : Ipv4Address.fromNumber(route.gateway).toString();
  return `${Ipv4Address.fromNumber(route.source).toString()} via ${gateway}`;
}

describe('RouteTable', () => {
  it('RFC 1122 3.3.1.1: sends straight to what is on a network of ours, else to the gateway', () => {
    const routes = table(['10.0.0.1/24'], [['0.0.0.0/0', '10.0.0.254']]);
    expect(way(routes, '10.0.0.2')).toBe('10.0.0.1 via link');
    expect(way(routes, '8.8.8.8')).toBe('10.0.0.1 via 10.0.0.254');
  });

  it('has no way out without a gateway', () => {
    const routes = table(['10.0.0.1/24']);
    expect(way(routes, '10.0.1.2')).toBeUndefined();
    expect(way(table([]), '10.0.0.2')).toBeUndefined();
  });

  it('uses a gateway only while it is on a network of ours', () => {
    const routes = table(['10.0.0.1/24'], [['0.0.0.0/0', '10.1.0.254']]);
    expect(way(routes, '8.8.8.8')).toBeUndefined();
    routes.setAddresses([cidr('10.0.0.1/24'), cidr('10.1.0.1/24')]);
    expect(way(routes, '8.8.8.8')).toBe('10.1.0.1 via 10.1.0.254');
    routes.setAddresses([cidr('10.0.0.1/24')]);
    expect(way(routes, '8.8.8.8')).toBeUndefined();
  });

  it('prefers the longest prefix, then the link, then the address added first', () => {
    const routes = table(
      ['10.0.0.1/24', '10.0.0.2/24', '10.0.0.3/8'],
      [
        ['0.0.0.0/0', '10.0.0.254'],
        ['10.0.0.0/24', '10.0.0.253'],
        ['10.0.0.128/25', '10.0.0.252'],
      ],
    );
    expect(way(routes, '10.0.0.9')).toBe('10.0.0.1 via link');
    expect(way(routes, '10.0.0.200')).toBe('10.0.0.1 via 10.0.0.252');
    expect(way(routes, '10.9.9.9')).toBe('10.0.0.3 via link');
    expect(way(routes, '11.9.9.9')).toBe('10.0.0.1 via 10.0.0.254');
  });

  it('replaces and removes configured routes', () => {
    const routes = table(['10.0.0.1/24'], [['0.0.0.0/0', '10.0.0.254']]);
    routes.add(cidr('0.0.0.0/0'), ip('10.0.0.253'));
    expect(way(routes, '8.8.8.8')).toBe('10.0.0.1 via 10.0.0.253');
    expect(routes.remove(cidr('0.0.0.0/0'))).toBe(true);
    expect(routes.remove(cidr('0.0.0.0/0'))).toBe(false);
    expect(way(routes, '8.8.8.8')).toBeUndefined();
    expect(routes.list).toHaveLength(1);
  });

  it('is bounded', () => {
    const routes = new RouteTable(2);
    routes.add(cidr('1.0.0.0/8'), ip('10.0.0.1'));
    routes.add(cidr('2.0.0.0/8'), ip('10.0.0.1'));
    routes.add(cidr('2.0.0.0/8'), ip('10.0.0.2'));
    expect(() => {
      routes.add(cidr('3.0.0.0/8'), ip('10.0.0.1'));
    }).toThrow(expect.objectContaining({ code: 'RFSIS_STACK_LIMIT' }) as Error);
  });

  it('agrees with a naive model on random tables', () => {
    // Few distinct bits, so that prefixes nest and meet.
    const address = fc
      .tuple(fc.nat(3), fc.nat(3), fc.nat(3))
      .map(([a, b, c]) => (10 << 24) | (a << 16) | (b << 8) | c);
    const prefix = fc.constantFrom(0, 7, 8, 14, 15, 16, 22, 23, 24, 30, 31, 32);
    const prefixed = fc.record({ address, prefix });
    fc.assert(
      fc.property(
        fc.uniqueArray(prefixed, { maxLength: 5, selector: (each) => each.address }),
        fc.uniqueArray(fc.record({ address, prefix, gateway: address }), {
          maxLength: 6,
          selector: (each) =>
            `${new Ipv4Cidr(Ipv4Address.fromNumber(each.address), each.prefix).network.toString()}/${each.prefix}`,
        }),
        fc.array(address, { minLength: 1, maxLength: 20 }),
        (own, configured, destinations) => {
          const toCidr = (each: { address: number; prefix: number }): Ipv4Cidr =>
            new Ipv4Cidr(Ipv4Address.fromNumber(each.address), each.prefix);
          const routes = new RouteTable(8);
          routes.setAddresses(own.map(toCidr));
          for (const each of configured) routes.add(toCidr(each), Ipv4Address.fromNumber(each.gateway));
          for (const destination of destinations) {
            expect(summary(routes.lookup(destination >>> 0))).toEqual(
              naive(own.map(toCidr), configured, destination),
            );
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

function summary(route: Route | undefined): object | undefined {
  return route && { gateway: route.gateway, source: route.source, prefixLength: route.prefixLength };
}

/** The rules in words of one line each: try every prefix length from the longest, on-link first, then configured. */
function naive(
  own: readonly Ipv4Cidr[],
  configured: readonly { address: number; prefix: number; gateway: number }[],
  destination: number,
): object | undefined {
  const wanted = Ipv4Address.fromNumber(destination);
  const onLink = (address: Ipv4Address, length: number): Ipv4Cidr | undefined =>
    own.find((each) => each.prefixLength === length && each.contains(address));
  const longestOnLink = (address: Ipv4Address): Ipv4Cidr | undefined => {
    for (let length = 32; length >= 0; length--) {
      const found = onLink(address, length);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  for (let length = 32; length >= 0; length--) {
    const direct = onLink(wanted, length);
    if (direct !== undefined) return { gateway: 0, source: direct.address.value, prefixLength: length };
    for (const each of configured) {
      if (each.prefix !== length) continue;
      if (!new Ipv4Cidr(Ipv4Address.fromNumber(each.address), length).contains(wanted)) continue;
      const gateway = Ipv4Address.fromNumber(each.gateway);
      const source = longestOnLink(gateway);
      if (source !== undefined) {
        return { gateway: gateway.value, source: source.address.value, prefixLength: length };
      }
    }
  }
  return undefined;
}
