import { beforeEach, describe, expect, it } from 'vitest';
import { linkDeviceCompliance } from '../src/compliance.js';
import { MacAddress, MemorySwitch, VirtualClock, type MemoryPort } from '../src/index.js';
import { frameOf, listen, macOf } from './stations.js';

describe('compliance', () => {
  it.each(linkDeviceCompliance({ carrier: true }))('$name', async ({ run }) => {
    const clock = new VirtualClock();
    const network = new MemorySwitch({ clock });
    const [a, b] = [network.port({ mac: macOf(1) }), network.port({ mac: macOf(2) })];
    await run({
      a,
      b,
      until: (condition) => clock.advanceUntil(condition, 1000),
      setCarrier: (up) => {
        if (up) a.plug();
        else a.unplug();
      },
    });
  });
});

describe('MemorySwitch', () => {
  let clock: VirtualClock;
  let network: MemorySwitch;
  let ports: [MemoryPort, MemoryPort, MemoryPort];
  let heard: [string[], string[], string[]];

  const send = (from: number, to: MacAddress, text: string): boolean => {
    const port = ports[from] as MemoryPort;
    return port.send(frameOf(port.mac, to, text));
  };
  const learn = (): void => {
    ports.forEach((port) => port.send(frameOf(port.mac, MacAddress.BROADCAST, 'hello')));
    clock.advance(1);
    heard.forEach((texts) => (texts.length = 0));
  };

  beforeEach(() => {
    clock = new VirtualClock();
    network = new MemorySwitch({ clock });
    const port = (number: number): MemoryPort => network.port({ mac: macOf(number) });
    ports = [port(1), port(2), port(3)];
    heard = [listen(ports[0]), listen(ports[1]), listen(ports[2])];
  });

  it('floods what it does not know, and learns where the sender lives', () => {
    send(0, macOf(2), 'to an unknown');
    clock.advance(1);
    expect(heard).toEqual([[], ['to an unknown'], ['to an unknown']]);
    expect(network.locate(macOf(1))).toBe(ports[0]);
    expect(network.locate(macOf(2))).toBeUndefined();
    send(1, macOf(1), 'back');
    clock.advance(1);
    expect(heard).toEqual([['back'], ['to an unknown'], ['to an unknown']]);
  });

  it('floods group addresses, and never learns one', () => {
    learn();
    send(0, MacAddress.BROADCAST, 'all');
    ports[1].send(frameOf(MacAddress.BROADCAST, macOf(1), 'forged'));
    clock.advance(1);
    expect(heard).toEqual([['forged'], ['all'], ['all']]);
    expect(network.locate(MacAddress.BROADCAST)).toBeUndefined();
  });

  it('follows a MAC address that moves', () => {
    learn();
    ports[2].send(frameOf(macOf(1), MacAddress.BROADCAST, 'I am here now'));
    clock.advance(1);
    expect(network.locate(macOf(1))).toBe(ports[2]);
    send(1, macOf(1), 'after the move');
    clock.advance(1);
    expect(heard[0]).toEqual(['I am here now']);
    expect(heard[2]).toEqual(['after the move']);
  });

  it('sends nothing back to where it came from', () => {
    learn();
    ports[0].send(frameOf(macOf(9), MacAddress.BROADCAST, 'nine lives here'));
    send(0, macOf(9), 'hairpin');
    clock.advance(1);
    expect(heard[0]).toEqual([]);
    expect(heard[1]).toEqual(['nine lives here']);
  });

  it('delivers after its latency, in order, and never within send()', () => {
    const slow = new MemorySwitch({ clock, latencyMs: 5 });
    const [a, b] = [slow.port({ mac: macOf(1) }), slow.port({ mac: macOf(2) })];
    const texts = listen(b);
    a.send(frameOf(a.mac, b.mac, 'one'));
    clock.advance(3);
    a.send(frameOf(a.mac, b.mac, 'two'));
    clock.advance(1.9);
    expect(texts).toEqual([]);
    clock.advance(0.2);
    expect(texts).toEqual(['one']);
    clock.advance(3);
    expect(texts).toEqual(['one', 'two']);
  });

  it('cuts one direction between two ports, and heals it', () => {
    learn();
    network.cut(ports[0], ports[1]);
    send(0, macOf(2), 'lost');
    send(0, MacAddress.BROADCAST, 'to the third');
    send(1, macOf(1), 'the other way');
    clock.advance(1);
    expect(heard).toEqual([['the other way'], [], ['to the third']]);
    network.heal(ports[0], ports[1]);
    send(0, macOf(2), 'again');
    clock.advance(1);
    expect(heard[1]).toEqual(['again']);
  });

  it('loses the frames under way to a port whose cable is pulled, and delivers none of them later', () => {
    learn();
    send(0, macOf(2), 'under way');
    ports[1].unplug();
    ports[1].plug();
    send(0, macOf(2), 'after');
    clock.advance(1);
    expect(heard[1]).toEqual(['after']);
  });

  it('delivers what left before the sender was unplugged', () => {
    learn();
    send(0, macOf(2), 'on the wire');
    ports[0].unplug();
    clock.advance(1);
    expect(heard[1]).toEqual(['on the wire']);
  });

  it('forgets what it learned at a port whose cable is pulled', () => {
    learn();
    ports[1].unplug();
    expect(network.locate(macOf(2))).toBeUndefined();
    send(0, macOf(2), 'flooded');
    clock.advance(1);
    expect(heard).toEqual([[], [], ['flooded']]);
  });

  it('forgets everything on demand', () => {
    learn();
    network.flushTable();
    send(0, macOf(2), 'flooded');
    clock.advance(1);
    expect(heard).toEqual([[], ['flooded'], ['flooded']]);
  });

  it('forgets the oldest address when its table is full', () => {
    const small = new MemorySwitch({ clock, tableEntries: 2 });
    const [a] = [small.port({ mac: macOf(1) }), small.port({ mac: macOf(2) })];
    for (const number of [11, 12, 11, 13]) a.send(frameOf(macOf(number), MacAddress.BROADCAST, ''));
    expect([11, 12, 13].map((number) => small.locate(macOf(number)))).toEqual([undefined, a, a]);
  });

  it('drops and counts what does not fit in the queue of a port', () => {
    const small = new MemorySwitch({ clock, queueFrames: 3 });
    const [a, b] = [small.port({ mac: macOf(1) }), small.port({ mac: macOf(2) })];
    const texts = listen(b);
    for (let index = 0; index < 5; index++) a.send(frameOf(a.mac, b.mac, String(index)));
    clock.advance(1);
    expect(texts).toEqual(['0', '1', '2']);
    expect(b.counters).toMatchObject({ rxFrames: 3, rxOctets: 180, rxDropped: 2 });
    a.send(frameOf(a.mac, b.mac, '5'));
    clock.advance(1);
    expect(texts).toEqual(['0', '1', '2', '5']);
  });

  it('scrubs a delivered frame, so that a reference kept too long is found out', () => {
    const kept: Uint8Array[] = [];
    const port = network.port({ mac: macOf(4) });
    const other = network.port({ mac: macOf(5) });
    const texts = listen(other);
    port.open((batch) => kept.push(batch.frame(0)));
    send(0, MacAddress.BROADCAST, 'short-lived');
    clock.advance(1);
    expect(new Set(kept[0])).toEqual(new Set([0xdb]));
    // One port's scrubbing is no other port's business.
    expect(texts).toEqual(['short-lived']);
    expect(heard[1]).toEqual(['short-lived']);
  });

  it('keeps nothing of a closed port', () => {
    learn();
    let told = 0;
    const port = network.port({ mac: macOf(4), name: 'eth9', mtu: 9000 });
    expect([port.name, port.mtu, port.number]).toEqual(['eth9', 9000, 3]);
    port.open(
      () => told++,
      () => told++,
    );
    send(0, MacAddress.BROADCAST, 'under way');
    port.close();
    port.unplug();
    port.plug();
    send(0, macOf(4), 'too late');
    clock.advance(1);
    expect(told).toBe(0);
    expect(network.port({ mac: macOf(6) }).number).toBe(4);
  });

  it('names ports by their number and does not deliver to one that is not open', () => {
    const port = network.port({ mac: macOf(4) });
    expect([port.name, port.up]).toEqual(['port3', true]);
    send(0, MacAddress.BROADCAST, 'nobody there');
    const texts = listen(port);
    clock.advance(1);
    expect(texts).toEqual([]);
  });

  it('tells the host once that the cable was pulled or put back', () => {
    const states: boolean[] = [];
    const port = network.port({ mac: macOf(4) });
    port.plug();
    listen(port, (up) => states.push(up));
    port.unplug();
    port.unplug();
    port.plug();
    port.plug();
    expect(states).toEqual([false, true]);
  });
});
