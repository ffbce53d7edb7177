import { describe, expect, it } from 'vitest';
import { linkDeviceCompliance } from '../src/compliance.js';
import { MemorySwitch, PcapngWriter, TracingDevice, VirtualClock } from '../src/index.js';
import { frameOf, listen, macOf } from './stations.js';

describe('compliance', () => {
  it.each(linkDeviceCompliance({ carrier: true }))('$name', async ({ run }) => {
    const clock = new VirtualClock();
    const network = new MemorySwitch({ clock });
    const [portA, portB] = [network.port({ mac: macOf(1) }), network.port({ mac: macOf(2) })];
    const writer = new PcapngWriter(() => undefined);
    await run({
      a: new TracingDevice({ device: portA, clock, writer }),
      b: new TracingDevice({ device: portB, clock, writer }),
      until: (condition) => clock.advanceUntil(condition, 1000),
      setCarrier: (up) => {
        if (up) portA.plug();
        else portA.unplug();
      },
    });
  });
});

describe('TracingDevice', () => {
  const setUp = () => {
    const clock = new VirtualClock(1_700_000_000_000);
    const network = new MemorySwitch({ clock, latencyMs: 0.25 });
    const [port, peer] = [network.port({ mac: macOf(1) }), network.port({ mac: macOf(2) })];
    const chunks: Uint8Array[] = [];
    const sink = { write: (chunk: Uint8Array): unknown => chunks.push(chunk) };
    const writer = new PcapngWriter((chunk) => {
      sink.write(chunk);
    });
    const errors: unknown[] = [];
    const traced = new TracingDevice({
      device: port,
      clock,
      writer,
      name: 'traced',
      onError: (each) => errors.push(each),
    });
    /** Microseconds and first option (the direction) of each recorded frame. */
    const recorded = (): [number, number][] =>
      chunks
        .map((chunk) => new DataView(chunk.buffer))
        .filter((view) => view.getUint32(0, true) === 6)
        .map((view) => [
          view.getUint32(12, true) * 2 ** 32 + view.getUint32(16, true) - 1_700_000_000_000_000,
          view.getUint32(28 + 60 + 4, true),
        ]);
    return { clock, port, peer, traced, sink, errors, recorded };
  };

  it('records both directions, with fractions of milliseconds', () => {
    const { clock, peer, traced, recorded } = setUp();
    const heard = listen(traced);
    listen(peer);
    clock.advance(0.5);
    expect(traced.send(frameOf(macOf(1), macOf(2), 'out'))).toBe(true);
    peer.send(frameOf(macOf(2), macOf(1), 'in'));
    clock.advance(1);
    expect(heard).toEqual(['in']);
    expect(recorded()).toEqual([
      [500, 2],
      [750, 1],
    ]);
  });

  it('records only the octets that are sent', () => {
    const { traced, recorded } = setUp();
    listen(traced);
    traced.send(frameOf(macOf(1), macOf(2), 'out', 500), 60);
    expect(recorded()).toEqual([[0, 2]]);
  });

  it('does not record what the device refused', () => {
    const { port, traced, recorded } = setUp();
    listen(traced);
    port.unplug();
    expect(traced.send(frameOf(macOf(1), macOf(2), 'lost'))).toBe(false);
    expect(recorded()).toEqual([]);
  });

  it('lets the traffic go on when the writer fails, and says so once', () => {
    const { clock, peer, traced, sink, errors, recorded } = setUp();
    const heard = [listen(traced), listen(peer)];
    sink.write = () => {
      throw new Error('no space left on device');
    };
    expect(traced.recording).toBe(true);
    for (const text of ['one', 'two']) {
      expect(traced.send(frameOf(macOf(1), macOf(2), text))).toBe(true);
      peer.send(frameOf(macOf(2), macOf(1), text));
      clock.advance(1);
    }
    expect(heard).toEqual([
      ['one', 'two'],
      ['one', 'two'],
    ]);
    expect(errors).toEqual([new Error('no space left on device')]);
    expect([traced.recording, recorded()]).toEqual([false, []]);
  });

  it('stops on demand', () => {
    const { clock, peer, traced, recorded } = setUp();
    const heard = listen(traced);
    traced.stop();
    peer.send(frameOf(macOf(2), macOf(1), 'in'));
    clock.advance(1);
    expect([heard, recorded()]).toEqual([['in'], []]);
  });
});
