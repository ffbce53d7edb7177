import { describe, expect, it } from 'vitest';
import { linkDeviceCompliance } from '../src/compliance.js';
import {
  LinkError,
  MacAddress,
  MemorySwitch,
  SharedDevice,
  VirtualClock,
  type LinkDevice,
} from '../src/index.js';
import { frameOf, listen, macOf } from './stations.js';

describe('compliance', () => {
  it.each(linkDeviceCompliance({ carrier: true }))('$name', async ({ run }) => {
    const clock = new VirtualClock();
    const network = new MemorySwitch({ clock });
    const [portA, portB] = [network.port({ mac: macOf(1) }), network.port({ mac: macOf(2) })];
    const [a, b] = [new SharedDevice(portA).port(), new SharedDevice(portB).port()];
    await run({
      a,
      b,
      until: (condition) => clock.advanceUntil(condition, 1000),
      setCarrier: (up) => {
        if (up) portA.plug();
        else portA.unplug();
      },
    });
  });
});

describe('SharedDevice', () => {
  const setUp = () => {
    const clock = new VirtualClock();
    const network = new MemorySwitch({ clock });
    const [device, peer] = [network.port({ mac: macOf(1), name: 'eth0' }), network.port({ mac: macOf(2) })];
    const shared = new SharedDevice(device);
    const call = (text: string): void => {
      peer.send(frameOf(peer.mac, MacAddress.BROADCAST, text));
      clock.advance(1);
    };
    return { clock, device, peer, shared, call };
  };

  it('hands every frame to every port, and what one port sends to no other', () => {
    const { clock, peer, shared, call } = setUp();
    const [first, second] = [shared.port(), shared.port()];
    const heard = [listen(first), listen(second), listen(peer)];
    call('hello');
    first.send(frameOf(macOf(1), MacAddress.BROADCAST, 'from the first'));
    second.send(frameOf(macOf(1), MacAddress.BROADCAST, 'from the second'));
    first.flush();
    clock.advance(1);
    expect(heard).toEqual([['hello'], ['hello'], ['from the first', 'from the second']]);
  });

  it('is what the device is', () => {
    const { device, shared } = setUp();
    const port = shared.port();
    expect(port).toMatchObject({ name: 'eth0', mtu: 1500, up: true });
    expect(port.mac).toBe(device.mac);
    expect(port.offload).toBe(device.offload);
    expect(port.counters).toBe(device.counters);
  });

  it('hands frames round in the order of opening', () => {
    const { shared, call } = setUp();
    const order: string[] = [];
    const [first, second] = [shared.port(), shared.port()];
    second.open(() => order.push('second'));
    first.open(() => order.push('first'));
    call('hello');
    expect(order).toEqual(['second', 'first']);
  });

  it('lets ports open and close while a frame is handed round', () => {
    const { shared, call } = setUp();
    const heard: string[] = [];
    const [first, doomed, late] = [shared.port(), shared.port(), shared.port()];
    first.open(() => {
      heard.push('first');
      doomed.close();
      if (heard.length === 1) late.open(() => heard.push('late'));
    });
    doomed.open(() => heard.push('doomed'));
    call('one');
    expect(heard).toEqual(['first']);
    call('two');
    expect(heard).toEqual(['first', 'first', 'late']);
  });

  it('keeps the device open until its last port closes', () => {
    const { device, shared, call } = setUp();
    const [first, second] = [shared.port(), shared.port()];
    const heard = listen(second);
    listen(first);
    first.close();
    first.close();
    call('still there');
    expect([heard, device.up, first.up, second.up]).toEqual([['still there'], true, false, true]);
    second.close();
    expect(device.up).toBe(false);
    const late = shared.port();
    expect(() => {
      late.open(() => undefined);
    }).toThrow(expect.objectContaining({ code: 'RFSIS_LINK_STATE' }));
  });

  it('closes the device under its ports', () => {
    const { device, shared, call } = setUp();
    const port = shared.port();
    const heard = listen(port);
    shared.close();
    call('nobody');
    expect([device.up, port.up, port.send(frameOf(macOf(1), macOf(2), '')), heard]).toEqual([
      false,
      false,
      false,
      [],
    ]);
  });

  it('tells every port that the carrier went or came back', () => {
    const { device, shared } = setUp();
    const states: string[] = [];
    const [first, second] = [shared.port(), shared.port()];
    listen(first, (up) => {
      states.push(`first ${up}`);
      second.close();
    });
    listen(second, (up) => states.push(`second ${up}`));
    device.unplug();
    device.plug();
    expect(states).toEqual(['first false', 'first true']);
  });

  it('can be opened again when the device could not be opened', () => {
    const { device } = setUp();
    let attempts = 0;
    const reluctant: LinkDevice = Object.create(device, {
      open: {
        value: (...handlers: Parameters<LinkDevice['open']>) => {
          if (++attempts === 1) throw new LinkError('RFSIS_LINK_NO_PRIVILEGE', 'not yet');
          device.open(...handlers);
        },
      },
      up: { get: () => device.up },
    }) as LinkDevice;
    const port = new SharedDevice(reluctant).port();
    expect(() => listen(port)).toThrow('not yet');
    expect(() => listen(port)).not.toThrow();
    expect(attempts).toBe(2);
  });
});
