import { checksum, writeU16 } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { analyse, frames, gratuitousArp, Lab, probeUdp, rawFrames, sendFrames } from '../src/index.js';
import { splitPcap } from '../src/capture-files.js';
import { clientFile } from '../src/workspace.js';
import { obstacle } from './lab-tests.js';

/** A UDP datagram "hi" from 10.77.0.9 to 10.77.0.100; what is added to its IP checksum, and its UDP checksum. */
function datagram(ipError: number, udpChecksum: number): Uint8Array {
  const octets = `ffffffffffff 020000000009 0800 4500001e00000000 40110000 0a4d0009 0a4d0064 04d2 0007 000a 0000 6869`;
  const frame = new Uint8Array(60);
  frame.set(Buffer.from(octets.replaceAll(' ', ''), 'hex'));
  writeU16(frame, 24, checksum(frame, 14, 20) + ipError);
  writeU16(frame, 40, udpChecksum);
  return frame;
}

describe.skipIf(obstacle !== undefined)('a capture', () => {
  it('misses no frame between its start and its stop', async () => {
    await using lab = await Lab.create();
    const alpha = await lab.addNode('alpha');
    const beta = await lab.addNode('beta');
    const frame = gratuitousArp({ address: '10.77.0.11', mac: alpha.mac });
    for (const where of ['switch', beta, alpha] as const) {
      const capture = await lab.capture(where);
      expect(await sendFrames(alpha, [frame], { times: 5_000 })).toBe(5_000);
      expect(await capture.stop()).toEqual({ file: capture.file, frames: 5_000, dropped: 0 });
      expect((await rawFrames(capture.file)).length).toBe(5_000);
      expect(await capture.stop()).toMatchObject({ frames: 5_000 });
    }
  });

  it('keeps what its filter chooses, in the file that was asked for', async () => {
    await using lab = await Lab.create();
    const alpha = await lab.addNode('alpha');
    const file = `${lab.folder}/only-arp.pcap`;
    const capture = await lab.capture(alpha, file, { filter: 'arp' });
    await sendFrames(alpha, [datagram(0, 0), gratuitousArp({ address: '10.77.0.11', mac: alpha.mac })]);
    expect(await capture.stop()).toMatchObject({ file, frames: 1 });
    const rows = await frames(file, '', ['frame.number', 'arp.src.proto_ipv4', 'ip.src']);
    expect(rows).toEqual([{ 'frame.number': '1', 'arp.src.proto_ipv4': '10.77.0.11', 'ip.src': '' }]);
    await expect(lab.capture(alpha, undefined, { filter: 'no such filter' })).rejects.toMatchObject({
      code: 'RFSIS_LAB_COMMAND_FAILED',
    });
  });

  it('analysis finds every bad checksum and malformed frame', async () => {
    await using lab = await Lab.create();
    const alpha = await lab.addNode('alpha');
    const capture = await lab.capture(alpha);
    const good = gratuitousArp({ address: '10.77.0.11', mac: alpha.mac });
    const cutOff = good.slice(0, 30); // An ARP body that ends in the middle.
    await sendFrames(alpha, [
      good,
      datagram(0, 0), // A UDP checksum of 0 means none (RFC 768).
      datagram(1, 0),
      datagram(0, 0x1234),
      cutOff,
    ]);
    await capture.stop();
    const { frames: count, findings } = await analyse(capture.file);
    expect(count).toBe(5);
    expect(
      findings.map(({ frame, kind, detail }) => [frame, kind, kind === 'checksum' ? detail : '']),
    ).toEqual([
      [3, 'error', ''],
      [3, 'checksum', 'ip.checksum.status'],
      [4, 'error', ''],
      [4, 'checksum', 'udp.checksum.status'],
      [5, 'malformed', ''],
    ]);
    expect((await analyse(capture.file, 'arp && frame.number == 1')).findings).toEqual([]);
  });

  it('of kernels without offloads is clean, datagrams that need fragments included', async () => {
    await using lab = await Lab.create();
    const client = await lab.addHost('client');
    const gateway = await lab.addHost('gateway', { address: '10.77.0.1/24' });
    await gateway.spawnNode(['python3', clientFile('udp_echo.py'), '10.77.0.1', '7']);
    const capture = await lab.capture('switch');
    const report = await probeUdp(client, {
      ...{ address: '10.77.0.1', port: 7, durationMs: 300, intervalMs: 2, maxSize: 4_000 },
    });
    expect(report.answered).toBe(report.sent);
    const refused = await probeUdp(client, { address: '10.77.0.1', port: 9, durationMs: 20, lingerMs: 100 });
    expect(refused.errors['ECONNREFUSED']).toBeGreaterThan(0);
    await capture.stop();
    const { frames: count, findings } = await analyse(capture.file);
    expect(count).toBeGreaterThan(300);
    expect(findings).toEqual([]);
  });

  it('a kernel without offloads verifies checksums itself', async () => {
    await using lab = await Lab.create();
    const client = await lab.addHost('client');
    const alpha = await lab.addNode('alpha');
    const listener = client.spawn(['python3', '-c', LISTENER]);
    await listener.waitForLine('listening');
    await sendFrames(alpha, [datagram(0, 0x1234), datagram(1, 0), datagram(0, 0)]);
    await listener.waitForLine("b'hi'");
    await listener.kill();
    expect(listener.output.count).toBe(2);
  });
});

describe('pcap files', () => {
  it('are told from others', () => {
    expect(() => splitPcap(Buffer.from('PK and more text that is no capture'))).toThrow('no pcap file');
    expect(() => splitPcap(Buffer.alloc(3))).toThrow('no pcap file');
  });

  it('may end in the middle of a frame', () => {
    const header = Buffer.alloc(24);
    header.writeUInt32LE(0xa1b2c3d4, 0);
    const record = Buffer.alloc(16 + 4, 7);
    record.writeUInt32LE(4, 8);
    const file = Buffer.concat([header, record, record]);
    expect(splitPcap(file).length).toBe(2);
    expect(splitPcap(file.subarray(0, -1))).toEqual([new Uint8Array([7, 7, 7, 7])]);
    expect(splitPcap(file.subarray(0, -10)).length).toBe(1);
  });
});

const LISTENER = `
import socket
service = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
service.bind(('0.0.0.0', 7))
print('listening', flush=True)
while True:
    print(service.recv(100), flush=True)
`;
