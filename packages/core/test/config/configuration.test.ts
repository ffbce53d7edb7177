import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfiguration, readConfiguration } from '../../src/config/configuration.js';
import { RfsisError } from '../../src/errors.js';

const LEAST = {
  role: 'main',
  interface: 'eth0',
  serviceAddress: '10.77.0.10/24',
  nodeAddress: '10.77.0.11',
  peerAddress: '10.77.0.12',
};

/** The message of the complaint, without the source before it. */
function complaintAbout(value: unknown): string {
  try {
    parseConfiguration(value, 'node.json');
  } catch (error) {
    expect(error).toBeInstanceOf(RfsisError);
    expect(error).toMatchObject({ code: 'RFSIS_CONFIG_INVALID' });
    const { message } = error as RfsisError;
    expect(message).toMatch(/^node\.json: /);
    expect(message).not.toContain('\n');
    return message.slice('node.json: '.length);
  }
  throw new Error('no complaint');
}

describe('a configuration', () => {
  it('of the least has all defaults', () => {
    const configuration = parseConfiguration(LEAST);
    expect(configuration).toMatchObject({
      role: 'main',
      interface: 'eth0',
      gateway: undefined,
      port: 7,
      heartbeat: { intervalMs: 20, timeoutMs: 100, detector: 'fixed', phiThreshold: 8 },
      sync: { port: 7007, keys: [] },
      witness: undefined,
      preempt: false,
      controlSocket: '/run/rfsis/10.77.0.11.sock',
      log: { level: 'info' },
    });
    expect(configuration.serviceAddress.toString()).toBe('10.77.0.10/24');
    expect(configuration.nodeAddress.toString()).toBe('10.77.0.11');
    expect(configuration.peerAddress.toString()).toBe('10.77.0.12');
  });

  it('keeps what it says; defaults fill the gaps of a group', () => {
    const configuration = parseConfiguration({
      ...LEAST,
      $schema: './config.schema.json',
      role: 'backup',
      gateway: '10.77.0.1',
      port: 9000,
      heartbeat: { intervalMs: 5, detector: 'phi' },
      sync: { port: 7008 },
      witness: '10.77.0.1',
      preempt: true,
      controlSocket: '/tmp/x.sock',
      log: { level: 'debug' },
    });
    expect(configuration).toMatchObject({
      role: 'backup',
      port: 9000,
      heartbeat: { intervalMs: 5, timeoutMs: 100, detector: 'phi', phiThreshold: 8 },
      sync: { port: 7008, keys: [] },
      preempt: true,
      controlSocket: '/tmp/x.sock',
      log: { level: 'debug' },
    });
    expect([configuration.gateway?.toString(), configuration.witness?.toString()]).toEqual([
      '10.77.0.1',
      '10.77.0.1',
    ]);
  });

  it('leaves the value it was given as it is', () => {
    const value = structuredClone(LEAST);
    parseConfiguration(value);
    expect(value).toEqual(LEAST);
  });

  it('takes one key or several', () => {
    const key = '00112233445566778899aabbccddeeff';
    const keysOf = (given: unknown): string[] =>
      parseConfiguration({ ...LEAST, sync: { key: given } }).sync.keys.map((each) =>
        Buffer.from(each).toString('hex'),
      );
    expect(keysOf(key)).toEqual([key]);
    expect(keysOf([key.toUpperCase(), `${key}00`])).toEqual([key, `${key}00`]);
  });
});

describe('a complaint names the key and what is expected', () => {
  const KEY_EXPECTED =
    'expected at least 32 hexadecimal digits (a 128-bit key), an even number of them, or a list of 1 to 4 such keys';
  const KEY = '00112233445566778899aabbccddeeff';
  it.each<[string, unknown, string]>([
    ['no object', [], 'the file: expected an object, got []'],
    ['null', null, 'the file: expected an object, got null'],
    ['role missing', { ...LEAST, role: undefined }, 'role: missing; expected one of "main", "backup"'],
    ['interface missing', { ...LEAST, interface: undefined }, 'interface: missing; expected a text'],
    [
      'serviceAddress missing',
      { ...LEAST, serviceAddress: undefined },
      'serviceAddress: missing; expected an IPv4 address with prefix length like 10.77.0.10/24',
    ],
    [
      'nodeAddress missing',
      { ...LEAST, nodeAddress: undefined },
      'nodeAddress: missing; expected an IPv4 address like 10.77.0.11',
    ],
    [
      'peerAddress missing',
      { ...LEAST, peerAddress: undefined },
      'peerAddress: missing; expected an IPv4 address like 10.77.0.11',
    ],
    ['role', { ...LEAST, role: 'master' }, 'role: expected one of "main", "backup", got "master"'],
    ['interface', { ...LEAST, interface: '' }, 'interface: expected a text that is not empty, got ""'],
    [
      'a long interface',
      { ...LEAST, interface: 'a-name-of-16-ltr' },
      'interface: expected at most 15 characters, got "a-name-of-16-ltr"',
    ],
    ['interface of a type', { ...LEAST, interface: 0 }, 'interface: expected a text, got 0'],
    [
      'serviceAddress',
      { ...LEAST, serviceAddress: '10.77.0.10' },
      'serviceAddress: expected an IPv4 address with prefix length like 10.77.0.10/24, got "10.77.0.10"',
    ],
    [
      'nodeAddress',
      { ...LEAST, nodeAddress: '10.77.0' },
      'nodeAddress: expected an IPv4 address like 10.77.0.11, got "10.77.0"',
    ],
    ['port', { ...LEAST, port: 0 }, 'port: expected at least 1, got 0'],
    ['a high port', { ...LEAST, port: 65_536 }, 'port: expected at most 65535, got 65536'],
    ['a broken port', { ...LEAST, port: 7.5 }, 'port: expected an integer, got 7.5'],
    ['a text as port', { ...LEAST, port: '7' }, 'port: expected an integer, got "7"'],
    ['preempt', { ...LEAST, preempt: 'yes' }, 'preempt: expected a boolean, got "yes"'],
    ['heartbeat', { ...LEAST, heartbeat: 20 }, 'heartbeat: expected an object, got 20'],
    [
      'heartbeat.intervalMs',
      { ...LEAST, heartbeat: { intervalMs: 0.5 } },
      'heartbeat.intervalMs: expected at least 1, got 0.5',
    ],
    [
      'heartbeat.intervalMs that no timer keeps',
      { ...LEAST, heartbeat: { intervalMs: 60_001, timeoutMs: 200_000 } },
      'heartbeat.intervalMs: expected at most 60000, got 60001',
    ],
    [
      'heartbeat.timeoutMs',
      { ...LEAST, heartbeat: { timeoutMs: 0 } },
      'heartbeat.timeoutMs: expected more than 0, got 0',
    ],
    [
      'heartbeat.detector',
      { ...LEAST, heartbeat: { detector: 'guess' } },
      'heartbeat.detector: expected one of "fixed", "phi", got "guess"',
    ],
    [
      'heartbeat.phiThreshold',
      { ...LEAST, heartbeat: { phiThreshold: 17 } },
      'heartbeat.phiThreshold: expected at most 16, got 17',
    ],
    ['sync.port', { ...LEAST, sync: { port: -1 } }, 'sync.port: expected at least 1, got -1'],
    [
      'log.level',
      { ...LEAST, log: { level: 'loud' } },
      'log.level: expected one of "trace", "debug", "info", "warn", "error", "fatal", "silent", got "loud"',
    ],
    [
      'controlSocket',
      { ...LEAST, controlSocket: 'x'.repeat(101) },
      `controlSocket: expected at most 100 characters, got "${'x'.repeat(101)}"`,
    ],
    ['sync.key too short', { ...LEAST, sync: { key: 'abcd' } }, `sync.key: ${KEY_EXPECTED}`],
    ['sync.key of odd length', { ...LEAST, sync: { key: `${KEY}0` } }, `sync.key: ${KEY_EXPECTED}`],
    ['sync.key of a type', { ...LEAST, sync: { key: 5 } }, `sync.key: ${KEY_EXPECTED}`],
    ['an empty list of keys', { ...LEAST, sync: { key: [] } }, `sync.key: ${KEY_EXPECTED}`],
    ['too many keys', { ...LEAST, sync: { key: Array(5).fill(KEY) } }, `sync.key: ${KEY_EXPECTED}`],
  ])('%s', (_name, value, expected) => {
    // Undefined stands for a missing key.
    expect(complaintAbout(JSON.parse(JSON.stringify(value)))).toBe(expected);
  });

  it('and never shows a secret', () => {
    for (const key of ['0011223344556677889', ['0011223344556677889'], [5], { secret: '0011' }]) {
      const complaint = complaintAbout({ ...LEAST, sync: { key } });
      expect(complaint).toMatch(/^sync\.key/);
      expect(complaint).not.toContain('0011');
    }
  });

  it('in one short line, whatever the file holds', () => {
    expect(complaintAbout({ ...LEAST, 'a\nb': 1 })).toMatch(/^a b: unknown key; expected one of/);
    const long = complaintAbout({ ...LEAST, port: Array(1000).fill(1) });
    expect(long.length).toBeLessThan(300);
    expect(long).toMatch(/^port: expected an integer, got \[1,1,.*\.\.\.$/);
  });

  it.each<[string, unknown, string]>([
    ['the top', { ...LEAST, roel: 'main' }, 'roel: unknown key; expected one of $schema, role, interface, '],
    [
      'heartbeat',
      { ...LEAST, heartbeat: { interval: 20 } },
      'heartbeat.interval: unknown key; expected one of heartbeat.intervalMs, heartbeat.timeoutMs, heartbeat.detector, heartbeat.phiThreshold',
    ],
    ['sync', { ...LEAST, sync: { keys: [] } }, 'sync.keys: unknown key; expected one of sync.port, sync.key'],
    ['log', { ...LEAST, log: { file: '/x' } }, 'log.file: unknown key; expected one of log.level'],
  ])('that is unknown in %s', (_name, value, expected) => {
    expect(complaintAbout(value).startsWith(expected)).toBe(true);
  });
});

describe('a contradiction', () => {
  it.each<[string, object, string]>([
    [
      'two nodes of one address',
      { peerAddress: '10.77.0.11' },
      'peerAddress: expected an address of its own, but it is the same as nodeAddress',
    ],
    [
      'a node with the service address',
      { nodeAddress: '10.77.0.10' },
      'nodeAddress: expected an address of its own, but it is the same as serviceAddress',
    ],
    [
      'a gateway that is a node',
      { gateway: '10.77.0.12' },
      "gateway: expected another host's address, but it is the same as peerAddress",
    ],
    [
      'a witness that is this node',
      { witness: '10.77.0.11' },
      "witness: expected another host's address, but it is the same as nodeAddress",
    ],
    [
      'a node of another network',
      { peerAddress: '10.78.0.12' },
      'peerAddress: expected an address in 10.77.0.0/24 (the network of serviceAddress), got 10.78.0.12',
    ],
    [
      'a gateway of another network',
      { gateway: '192.168.0.1' },
      'gateway: expected an address in 10.77.0.0/24 (the network of serviceAddress), got 192.168.0.1',
    ],
    [
      'the broadcast address',
      { nodeAddress: '10.77.0.255' },
      'nodeAddress: expected the address of a host, but 10.77.0.255 is the network or broadcast address of 10.77.0.0/24',
    ],
    [
      'the network address',
      { serviceAddress: '10.77.0.0/24' },
      'serviceAddress: expected the address of a host, but 10.77.0.0 is the network or broadcast address of 10.77.0.0/24',
    ],
    [
      'a multicast address',
      { serviceAddress: '224.0.0.5/24' },
      'serviceAddress: expected a unicast address, got 224.0.0.5',
    ],
    [
      'a loopback address',
      { serviceAddress: '127.0.0.5/24' },
      'serviceAddress: expected a unicast address, got 127.0.0.5',
    ],
    [
      'a reserved address',
      { serviceAddress: '240.0.0.5/24' },
      'serviceAddress: expected a unicast address, got 240.0.0.5',
    ],
    ['no address', { witness: '0.0.0.1' }, 'witness: expected a unicast address, got 0.0.0.1'],
    [
      'a timeout that one late beat exceeds',
      { heartbeat: { intervalMs: 50, timeoutMs: 99 } },
      'heartbeat.timeoutMs: expected at least twice heartbeat.intervalMs (100), got 99; otherwise one late beat is a death',
    ],
  ])('%s', (_name, change, expected) => {
    expect(complaintAbout({ ...LEAST, ...change })).toBe(expected);
  });

  it('is none in a network of two', () => {
    const pointToPoint = { ...LEAST, serviceAddress: '10.77.0.10/30', nodeAddress: '10.77.0.9' };
    expect(complaintAbout({ ...pointToPoint, peerAddress: '10.77.0.11' })).toContain('broadcast');
    expect(complaintAbout({ ...LEAST, serviceAddress: '10.77.0.10/32' })).toContain(
      'nodeAddress: expected an address in 10.77.0.10/32',
    );
  });
});

describe('a file', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'rfsis-config-'));
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  function written(text: string): string {
    const path = join(directory, 'node.json');
    writeFileSync(path, text);
    return path;
  }

  function failure(path: string): RfsisError {
    try {
      readConfiguration(path);
    } catch (error) {
      expect(error).toBeInstanceOf(RfsisError);
      expect((error as RfsisError).message).not.toContain('\n');
      return error as RfsisError;
    }
    throw new Error('no error');
  }

  it('is read', () => {
    expect(readConfiguration(written(JSON.stringify(LEAST))).interface).toBe('eth0');
  });

  it('that does not exist is named', () => {
    const path = join(directory, 'missing.json');
    expect(failure(path)).toMatchObject({ code: 'RFSIS_CONFIG_UNREADABLE' });
    expect(failure(path).message).toBe(
      `cannot read the configuration: ENOENT: no such file or directory, open '${path}'`,
    );
  });

  it('that is a directory is named', () => {
    expect(failure(directory).message).toMatch(/^cannot read the configuration: EISDIR/);
  });

  it.each([
    '',
    '{"role": "main",\n',
    '{\n  "role": main,\n  "interface":\n "eth0"\n}',
    'role: main\nport: 7\n',
  ])('that is no JSON is named in one line: %j', (text) => {
    const path = written(text);
    expect(failure(path)).toMatchObject({ code: 'RFSIS_CONFIG_UNREADABLE' });
    expect(failure(path).message.startsWith(`${path} is no JSON: `)).toBe(true);
  });

  it('with a wrong key is named', () => {
    const path = written(JSON.stringify({ ...LEAST, port: 'seven' }));
    expect(failure(path).message).toBe(`${path}: port: expected an integer, got "seven"`);
  });
});
