import { ArpEndpoint } from '@rfsis/arp';
import {
  Ipv4Address,
  MemorySwitch,
  SeededRandom,
  VirtualClock,
  type MacAddress,
  type MemoryPort,
} from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { AddressCheck } from '../../src/node/address-check.js';
import { macOf } from '../frames.js';

const ADDRESS = Ipv4Address.parse('10.77.0.10');
const GRACE_MS = 200;

/** A host that answers ARP. */
function host(
  clock: VirtualClock,
  network: MemorySwitch,
  number: number,
  isTrusted?: () => boolean,
): { arp: ArpEndpoint; port: MemoryPort } {
  const port = network.port({ mac: macOf(number) });
  const arp = new ArpEndpoint({
    device: port,
    clock,
    random: new SeededRandom(number),
    ...(isTrusted === undefined ? {} : { isTrusted }),
  });
  port.open((batch) => {
    for (let index = 0; index < batch.count; index++) {
      const offset = batch.offset(index);
      arp.receive(batch.bytes, offset + 14, offset + batch.length(index), 0);
    }
  });
  return { arp, port };
}

function setUp() {
  const clock = new VirtualClock();
  const network = new MemorySwitch({ clock });
  const found: string[] = [];
  const peer = { mac: undefined as MacAddress | undefined, trusted: false };
  const { arp, port } = host(clock, network, 1, () => peer.trusted);
  const check = new AddressCheck({
    arp,
    clock,
    address: ADDRESS,
    graceMs: GRACE_MS,
    peerMac: () => peer.mac,
    onFree: () => found.push('free'),
    onTaken: (holder) => found.push(`taken by ${holder.toString()}`),
  });
  check.start();
  return { clock, network, found, peer, port, check };
}

describe('an address', () => {
  it('that nobody has is free, within a fraction of a second', () => {
    const { clock, found } = setUp();
    clock.advance(150);
    expect(found).toEqual(['free']);
    clock.advance(10_000);
    expect(found).toEqual(['free']);
  });

  it('is not judged without a carrier', () => {
    const { clock, found, port } = setUp();
    port.unplug();
    clock.advance(5000);
    expect(found).toEqual([]);
    port.plug();
    clock.advance(500);
    expect(found).toEqual(['free']);
  });

  it('that a stranger has is taken, and looked at again until it is free', () => {
    const { clock, network, found } = setUp();
    const stranger = host(clock, network, 2);
    stranger.arp.addAddress(ADDRESS);
    clock.advance(1000);
    expect(found[0]).toBe(`taken by ${macOf(2).toString()}`);
    stranger.arp.removeAddress(ADDRESS);
    found.length = 0;
    clock.advance(1000);
    expect(found.at(-1)).toBe('free');
  });

  it('that the peer has is free as far as ARP is concerned: its beats decide', () => {
    const { clock, network, found, peer } = setUp();
    host(clock, network, 2).arp.addAddress(ADDRESS);
    clock.advance(50);
    peer.mac = macOf(2);
    clock.advance(GRACE_MS);
    expect(found).toEqual(['free']);
  });

  it('that the peer has, by a signed packet, needs no beats', () => {
    const { clock, network, found, peer } = setUp();
    peer.trusted = true;
    host(clock, network, 2).arp.addAddress(ADDRESS);
    clock.advance(50);
    expect(found).toEqual(['free']);
  });

  it('whose holder dies before it could show who it is, is free: it may have been the peer', () => {
    const { clock, network, found } = setUp();
    const holder = host(clock, network, 2);
    holder.arp.addAddress(ADDRESS);
    clock.advance(50);
    holder.port.close();
    clock.advance(1000);
    expect(found).toEqual(['free']);
  });

  it('that another joins for at the same time is free: the beats decide who gets it', () => {
    const { clock, network, found } = setUp();
    host(clock, network, 2).arp.probe(
      ADDRESS,
      { waitMs: 0, count: 5, minMs: 10, maxMs: 10, announceWaitMs: 10 },
      () => undefined,
    );
    clock.advance(50);
    expect(found).toEqual(['free']);
  });
});

describe('a check that is stopped', () => {
  it('says nothing more, whatever it was at', () => {
    for (const stopAfterMs of [0, 5, 50, 100]) {
      const { clock, network, found, check } = setUp();
      if (stopAfterMs > 50) host(clock, network, 2).arp.addAddress(ADDRESS);
      clock.advance(stopAfterMs);
      check.stop();
      clock.advance(5000);
      expect(found).toEqual([]);
    }
  });

  it('can begin anew', () => {
    const { clock, found, check } = setUp();
    check.stop();
    check.start();
    check.start();
    clock.advance(500);
    expect(found).toEqual(['free']);
  });
});
