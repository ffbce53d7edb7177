import { MacAddress } from '@rfsis/link';
import { describe, expect, it, vi } from 'vitest';
import { frames, gratuitousArp, Lab, sendFrames, startForeignClaimant } from '../src/index.js';
import { obstacle, reaches } from './lab-tests.js';

const MAC = MacAddress.parse('02:00:00:00:00:09');

describe('gratuitous ARP', () => {
  it('as request names the sender only (RFC 5227 1.1, announcement)', () => {
    expect(Buffer.from(gratuitousArp({ address: '10.77.0.10', mac: MAC })).toString('hex')).toBe(
      'ffffffffffff0200000000090806' + // broadcast
        '0001080006040001' +
        '0200000000090a4d000a' +
        '0000000000000a4d000a' +
        '00'.repeat(18),
    );
  });

  it('as reply names sender and target alike', () => {
    const frame = gratuitousArp({ address: '10.77.0.10', mac: MAC, operation: 'reply' });
    expect(Buffer.from(frame.subarray(20, 42)).toString('hex')).toBe(
      '0002' + '0200000000090a4d000a'.repeat(2),
    );
  });
});

describe.skipIf(obstacle !== undefined)('a stranger', () => {
  it('who claims an address by ARP is believed by kernels', async () => {
    await using lab = await Lab.create();
    const client = await lab.addHost('client');
    const gateway = await lab.addHost('gateway', { address: '10.77.0.1/24' });
    const stranger = await lab.addNode('stranger');
    expect(await reaches(client, '10.77.0.1')).toBe(true);
    expect(await client.neighbour('10.77.0.1')).toEqual(gateway.mac);
    const claimant = await startForeignClaimant(stranger, { address: '10.77.0.1', intervalMs: 20 });
    await vi.waitFor(
      async () => {
        expect(await client.neighbour('10.77.0.1')).toEqual(stranger.mac);
      },
      { timeout: 10_000 },
    );
    expect(await claimant.stop()).toMatchObject({ code: 0 });
    expect(Number(claimant.events({ event: 'sent' })[0]?.fields['sent'])).toBeGreaterThan(0);
  });

  it('may have the address in its kernel, and answer for it', async () => {
    await using lab = await Lab.create();
    const client = await lab.addHost('client');
    const stranger = await lab.addHost('stranger');
    await stranger.addAddress('10.77.0.10/24');
    expect(await reaches(client, '10.77.0.10')).toBe(true);
    await stranger.removeAddress('10.77.0.10/24');
    await client.flushNeighbours();
    expect(await reaches(client, '10.77.0.10', 200)).toBe(false);
  });

  it('sends frames at the wished pace', async () => {
    await using lab = await Lab.create();
    const stranger = await lab.addNode('stranger');
    const capture = await lab.capture(stranger);
    await sendFrames(stranger, [gratuitousArp({ address: '10.77.0.10', mac: MAC })], {
      times: 20,
      intervalMs: 10,
    });
    await capture.stop();
    const times = (await frames(capture.file, '', ['frame.time_epoch'])).map((row) =>
      Number(row['frame.time_epoch']),
    );
    expect(times.length).toBe(20);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(0.15);
    await expect(sendFrames(stranger, [], { times: 0 })).rejects.toMatchObject({
      code: 'RFSIS_LAB_COMMAND_FAILED',
    });
  });
});
