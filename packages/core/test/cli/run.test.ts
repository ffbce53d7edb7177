import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ControlClient } from '../../src/control/control-client.js';
import { runModule, type Child } from './child.js';

vi.setConfig({ testTimeout: 30_000 });

let directory: string;
let controlSocket: string;
let children: Child[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rfsis-run-'));
  controlSocket = join(directory, 'node.sock');
  children = [];
});

afterEach(async () => {
  for (const child of children) {
    child.process.kill('SIGKILL');
    await child.ended;
  }
  rmSync(directory, { recursive: true, force: true });
});

/** Addresses of RFC 5737: no machine has them. */
function configure(change: object = {}): string {
  const path = join(directory, 'node.json');
  const configuration = {
    role: 'main',
    interface: 'rfsis-none0',
    serviceAddress: '192.0.2.10/24',
    nodeAddress: '192.0.2.11',
    peerAddress: '192.0.2.12',
    controlSocket,
    ...change,
  };
  writeFileSync(path, JSON.stringify(configuration));
  return path;
}

const IN_MEMORY = `(configuration, clock) =>
  new MemorySwitch({ clock }).port({ mac: MacAddress.parse('02:00:00:00:00:01'), name: configuration.interface })`;

/** An application of the smallest, with these arguments, on a real interface unless another device is given. */
function start(
  args: readonly string[],
  options: { device?: string; application?: string; stdout?: number } = {},
): Child {
  const { device = 'undefined', application = '() => undefined', stdout } = options;
  const program = `
    import { runNode } from './dist/index.js';
    import { MacAddress, MemorySwitch, SecureRandom } from '@rfsis/link';
    import { Stack } from '@rfsis/stack';
    await runNode({
      name: 'example',
      description: 'An example.',
      argv: ['node', 'example', ...${JSON.stringify(args)}],
      application: ${application},
      device: ${device},
    });
  `;
  const child = runModule(program, stdout);
  children.push(child);
  return child;
}

async function complaintOf(child: Child): Promise<string> {
  const { code, stdout, stderr } = await child.ended;
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^[^\n]+\n$/);
  expect(code).toBe(2);
  return stderr.trimEnd();
}

describe('a node that cannot run says why in one line and exits with 2:', () => {
  it('no configuration', async () => {
    expect(await complaintOf(start([]))).toBe("error: required option '-c, --config <file>' not specified");
  });

  it('an option it does not know', async () => {
    expect(await complaintOf(start(['-c', 'x', '--port', '7']))).toBe("error: unknown option '--port'");
  });

  it('a file that is not there', async () => {
    const path = join(directory, 'missing.json');
    expect(await complaintOf(start(['--config', path]))).toBe(
      `example: cannot read the configuration: ENOENT: no such file or directory, open '${path}'`,
    );
  });

  it('a wrong key', async () => {
    const path = configure({ roel: 'main' });
    expect(await complaintOf(start(['-c', path]))).toMatch(
      /^example: .*node\.json: roel: unknown key; expected one of /,
    );
  });

  it('an interface that does not exist', async () => {
    expect(await complaintOf(start(['-c', configure()]))).toMatch(/^example: .*"rfsis-none0"/);
    expect(existsSync(controlSocket)).toBe(false);
  });

  it('a control socket that is in use', async () => {
    const other: Server = createServer();
    await new Promise<void>((listening) => other.listen(controlSocket, listening));
    const complaint = await complaintOf(start(['-c', configure()], { device: IN_MEMORY }));
    expect(complaint).toBe(
      `example: another process serves the control socket ${controlSocket}: stop it, or set controlSocket to another path`,
    );
    expect(existsSync(controlSocket)).toBe(true);
    other.close();
  });
});

describe('an address that a stranger has', () => {
  it('ends the start with one line and 2, and nothing is left', async () => {
    const child = start(['-c', configure()], {
      device: `(configuration, clock) => {
        const network = new MemorySwitch({ clock });
        const port = (number) => network.port({ mac: MacAddress.parse('02:00:00:00:00:0' + number) });
        const stranger = new Stack({ device: port(9), clock, random: new SecureRandom() });
        stranger.open();
        stranger.addAddress(configuration.serviceAddress);
        return port(1);
      }`,
    });
    const { code, stderr } = await child.ended;
    expect(stderr).toBe(
      'example: 192.0.2.10 is already in use by 02:00:00:00:00:09: stop that host, or choose another serviceAddress\n',
    );
    expect(code).toBe(2);
    expect(existsSync(controlSocket)).toBe(false);
  });
});

describe('a node', () => {
  it('explains itself with --help', async () => {
    const { code, stdout, stderr } = await start(['--help']).ended;
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Usage: example [options]');
    expect(stdout).toContain('An example.');
    expect(stdout).toContain('--config <file>');
    expect(stdout).toContain('SIGTERM');
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('runs until %s, then leaves and exits with 0', async (signal) => {
    const child = start(['-c', configure()], { device: IN_MEMORY });
    await child.prints('"event":"ready"');
    expect(existsSync(controlSocket)).toBe(true);
    child.process.kill(signal);
    const { code, stdout, stderr } = await child.ended;
    expect([code, stderr]).toEqual([0, '']);
    expect(existsSync(controlSocket)).toBe(false);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ event }) => event)).toEqual([
      'sync',
      'role',
      'ready',
      'sync',
      'signal',
      'handover-refused',
    ]);
    expect(lines.at(-2)).toMatchObject({ signal, level: 'info' });
    expect(lines.every(({ time, message }) => typeof time === 'number' && typeof message === 'string')).toBe(
      true,
    );
  });

  it('that is told to leave before it has found its role exits with 0 too', async () => {
    const child = start(['-c', configure({ heartbeat: { intervalMs: 1000, timeoutMs: 10_000 } })], {
      device: IN_MEMORY,
    });
    await child.prints('"event":"sync"');
    child.process.kill('SIGTERM');
    const { code, stdout, stderr } = await child.ended;
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).not.toContain('ready');
    expect(existsSync(controlSocket)).toBe(false);
  });

  it('that is told to leave while its application starts does not wait for it', async () => {
    const child = start(['-c', configure()], {
      device: IN_MEMORY,
      application: `({ log }) => { log.info({ event: 'application' }, 'slow'); return new Promise(() => undefined); }`,
    });
    await child.prints('"event":"application"');
    child.process.kill('SIGTERM');
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(controlSocket)).toBe(false);
  });

  it('whose application is broken shows where, and exits with 1', async () => {
    const child = start(['-c', configure()], {
      device: IN_MEMORY,
      application: `() => { throw new TypeError('broken'); }`,
    });
    const { code, stderr } = await child.ended;
    expect(code).toBe(1);
    expect(stderr).toContain('TypeError: broken');
    expect(existsSync(controlSocket)).toBe(false);
  });

  const CHATTER = `({ log }) => {
    setInterval(() => log.info({ event: 'chatter' }, 'x'.repeat(1000)), 1);
  }`;

  it('goes on when nobody reads its log any more', async () => {
    const child = start(['-c', configure()], { device: IN_MEMORY, application: CHATTER });
    await child.prints('"event":"ready"');
    child.process.stdout?.destroy();
    await livesOn(new ControlClient(controlSocket));
    child.process.kill('SIGTERM');
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('goes on when the disk is full that its log goes to', async () => {
    const full = openSync('/dev/full', 'w');
    const child = start(['-c', configure()], { device: IN_MEMORY, application: CHATTER, stdout: full });
    closeSync(full);
    const client = new ControlClient(controlSocket);
    while (!(await client.status().catch(() => undefined))?.serving && child.process.exitCode === null);
    await livesOn(client);
    child.process.kill('SIGTERM');
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
  });

  /** It answers although all it writes fails. */
  async function livesOn(client: ControlClient): Promise<void> {
    const { uptimeMs } = await client.status();
    while ((await client.status()).uptimeMs < uptimeMs + 100);
  }
});
