import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FrameDirection, MacAddress, PcapngWriter, type PcapngWriterOptions } from '../src/index.js';
import { frameOf, macOf } from './stations.js';
import { isAvailable } from './tools.js';

function capture(options?: PcapngWriterOptions): { writer: PcapngWriter; chunks: Uint8Array[] } {
  const chunks: Uint8Array[] = [];
  return { writer: new PcapngWriter((chunk) => chunks.push(chunk), options), chunks };
}

/** Checks the framing of a block, and returns its type and body. */
function blockOf(chunk: Uint8Array | undefined): { type: number; body: DataView } {
  if (chunk === undefined) throw new Error('no block was written');
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
  expect(chunk.length % 4).toBe(0);
  expect(view.getUint32(4, true)).toBe(chunk.length);
  expect(view.getUint32(chunk.length - 4, true)).toBe(chunk.length);
  return {
    type: view.getUint32(0, true),
    body: new DataView(chunk.buffer, chunk.byteOffset + 8, chunk.length - 12),
  };
}

describe('PcapngWriter', () => {
  it('pcapng 4.1: begins with a section header', () => {
    const { type, body } = blockOf(capture().chunks[0]);
    expect(type).toBe(0x0a0d0d0a);
    expect(body.getUint32(0, true)).toBe(0x1a2b3c4d);
    expect([body.getUint16(4, true), body.getUint16(6, true)]).toEqual([1, 0]);
    expect(body.getBigInt64(8, true)).toBe(-1n);
  });

  it('pcapng 4.2: describes each interface and numbers them', () => {
    const { writer, chunks } = capture({ snapOctets: 96 });
    expect(writer.addInterface({ name: 'a' })).toBe(0);
    expect(writer.addInterface({ name: 'b', description: 'the other', mac: macOf(2) })).toBe(1);
    for (const chunk of chunks.slice(1)) {
      const { type, body } = blockOf(chunk);
      expect([type, body.getUint16(0, true), body.getUint32(4, true)]).toEqual([1, 1, 96]);
    }
  });

  it('pcapng 4.3: records frames of any length, padded to four octets, with time and direction', () => {
    const { writer, chunks } = capture();
    const wallMs = 1_700_000_000_123.456;
    for (let length = 0; length < 9; length++) {
      const frame = new Uint8Array(length).fill(0x5a);
      writer.frame(0, wallMs, frame, FrameDirection.outbound);
      const { type, body } = blockOf(chunks.at(-1));
      expect([type, body.getUint32(0, true), body.getUint32(12, true), body.getUint32(16, true)]).toEqual([
        6,
        0,
        length,
        length,
      ]);
      expect(body.getUint32(4, true) * 2 ** 32 + body.getUint32(8, true)).toBe(1_700_000_000_123_456);
      const options = 20 + Math.ceil(length / 4) * 4;
      expect([body.getUint16(options, true), body.getUint32(options + 4, true)]).toEqual([2, 2]);
    }
  });

  it('cuts frames off at the limit and keeps their true length', () => {
    const { writer, chunks } = capture({ snapOctets: 20 });
    writer.frame(0, 0, frameOf(macOf(1), macOf(2), 'x', 100));
    const { body } = blockOf(chunks.at(-1));
    expect([body.getUint32(12, true), body.getUint32(16, true), body.byteLength]).toEqual([20, 100, 40]);
  });

  it('hands over chunks that are its own: a frame may be changed afterwards', () => {
    const { writer, chunks } = capture();
    const frame = new Uint8Array(60).fill(1);
    writer.frame(0, 0, frame);
    frame.fill(2);
    expect([...(chunks.at(-1) ?? [])].filter((octet) => octet === 1)).toHaveLength(60);
  });
});

describe.skipIf(!isAvailable('tshark', ['--version']))('read by tshark', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rfsis-pcapng-'));
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it('gives back time, direction, interface, length and comment, without complaint', () => {
    const { writer, chunks } = capture({ application: 'a test', comment: 'über alles' });
    const first = writer.addInterface({ name: 'node-a', description: 'first', mac: macOf(1) });
    const second = writer.addInterface({ name: 'node-b' });
    const frame = frameOf(macOf(1), MacAddress.BROADCAST, 'x', 63);
    frame[12] = 0x88;
    frame[13] = 0xb5; // IEEE 802: an EtherType for experiments, which tshark does not take apart
    writer.frame(first, 1_700_000_000_123.456, frame, FrameDirection.outbound, 'sent by node-a');
    writer.frame(second, 1_700_000_000_123.789, frame, FrameDirection.inbound);
    writer.frame(second, 1_700_000_000_124, frame.subarray(0, 61));
    const file = join(directory, 'test.pcapng');
    writeFileSync(file, Buffer.concat(chunks));
    const fields = [
      'frame.interface_name',
      'frame.time_epoch',
      'frame.packet_flags_direction',
      'frame.len',
      'frame.comment',
      '_ws.expert',
    ];
    const { stdout, stderr } = spawnSync(
      'tshark',
      ['-r', file, '-T', 'fields', ...fields.flatMap((each) => ['-e', each])],
      { encoding: 'utf8' },
    );
    expect(stderr.replace(/^Running as user .*\n/m, '')).toBe('');
    const rows = stdout.split('\n', 3).map((row) => row.split('\t'));
    expect(rows.map((row) => row.map((cell) => cell.replace(/0+$/, '')).slice(0, 2))).toEqual([
      ['node-a', '1700000000.123456'],
      ['node-b', '1700000000.123789'],
      ['node-b', '1700000000.124'],
    ]);
    expect(rows.map((row) => [Number(row[2]), Number(row[3]), row[4], row[5]])).toEqual([
      [2, 63, 'sent by node-a', 'Expert Info (Comment/Comment): sent by node-a'],
      [1, 63, '', ''],
      [0, 61, '', ''],
    ]);
  });
});
