import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rfsis } from '../../src/cli/rfsis.js';
import { configurationSchema } from '../../src/config/schema.js';
import { ControlServer, type ControlTarget } from '../../src/control/control-server.js';
import type { NodeStatus } from '../../src/control/status.js';
import { RfsisError } from '../../src/errors.js';
import { SAMPLE_STATUS } from '../control/sample-status.js';
import { run, type Child } from './child.js';

vi.setConfig({ testTimeout: 30_000 });

let directory: string;
let socket: string;
let status: NodeStatus;
let server: ControlServer | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rfsis-cli-'));
  socket = join(directory, 'node.sock');
  status = SAMPLE_STATUS;
});

afterEach(async () => {
  vi.restoreAllMocks();
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

async function serve(
  handover: ControlTarget['handover'] = () => Promise.resolve(),
  look: ControlTarget['status'] = () => status,
): Promise<void> {
  server = await ControlServer.open(socket, {
    status: look,
    metrics: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
    handover,
  });
}

/** Runs the command in this process. */
async function call(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    err += String(chunk);
    return true;
  });
  const code = await rfsis(['node', 'rfsis', ...args], (text) => (out += text));
  spy.mockRestore();
  return { code, out, err };
}

function configuration(change: object = {}): string {
  const path = join(directory, 'node.json');
  const value = {
    role: 'main',
    interface: 'eth0',
    serviceAddress: '10.77.0.10/24',
    nodeAddress: '10.77.0.11',
    peerAddress: '10.77.0.12',
    controlSocket: socket,
    ...change,
  };
  writeFileSync(path, JSON.stringify(value));
  return path;
}

describe('rfsis status', () => {
  it('shows what a node is doing', async () => {
    await serve();
    const { code, out, err } = await call('status', '--socket', socket);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('main, serving, epoch 3, protected');
  });

  it('as JSON is the status', async () => {
    await serve();
    const { code, out } = await call('status', '-s', socket, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(SAMPLE_STATUS);
  });

  it('finds the node by its configuration', async () => {
    await serve();
    expect(await call('status', '--config', configuration())).toMatchObject({ code: 0, err: '' });
  });

  it('without a node says so in one line', async () => {
    expect(await call('status', '-s', socket)).toEqual({
      code: 2,
      out: '',
      err: `rfsis: no answer from ${socket} (ENOENT): is the node running, with this control socket?\n`,
    });
  });

  it('with a wrong configuration says what is wrong', async () => {
    const { code, err } = await call('status', '-c', configuration({ port: 0 }));
    expect(code).toBe(2);
    expect(err).toMatch(/^rfsis: .*node\.json: port: expected at least 1, got 0\n$/);
  });
});

describe('rfsis handover', () => {
  it('says who serves now', async () => {
    await serve(() => {
      status = { ...SAMPLE_STATUS, role: 'backup', serving: false };
      return Promise.resolve();
    });
    expect(await call('handover', '-s', socket)).toEqual({
      code: 0,
      out: 'handed over: 10.77.0.12 serves 10.77.0.10/24, this node is backup\n',
      err: '',
    });
  });

  it('says why not', async () => {
    await serve(() =>
      Promise.reject(new RfsisError('RFSIS_HANDOVER_REFUSED', 'there is no backup to hand over to')),
    );
    expect(await call('handover', '-s', socket)).toEqual({
      code: 2,
      out: '',
      err: 'rfsis: there is no backup to hand over to\n',
    });
  });
});

describe('rfsis check-config', () => {
  it('sums a good one up', async () => {
    const path = configuration();
    expect(await call('check-config', path)).toEqual({
      code: 0,
      out: `${path}: good; main 10.77.0.11 with peer 10.77.0.12 serves 10.77.0.10/24\n`,
      err: '',
    });
  });

  it('complains about a bad one', async () => {
    const { code, err } = await call('check-config', configuration({ roel: 1 }));
    expect(code).toBe(2);
    expect(err).toContain('roel: unknown key');
  });
});

describe('rfsis schema', () => {
  it('prints the schema', async () => {
    const { code, out } = await call('schema');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(configurationSchema);
  });
});

describe('rfsis watch', () => {
  const enough = new Error('seen enough');

  /** Watches until `count` pieces were printed; `between` is called with each. */
  async function look(
    count: number,
    between: (printed: string[]) => void = () => undefined,
  ): Promise<string[]> {
    const printed: string[] = [];
    const watching = rfsis(['node', 'rfsis', 'watch', '-s', socket, '--interval', '50'], (text) => {
      printed.push(text);
      between(printed);
      if (printed.length === count) throw enough;
    });
    await expect(watching).rejects.toBe(enough);
    return printed;
  }

  it('shows the state once, and each change', async () => {
    await serve();
    const printed = await look(2, () => (status = { ...SAMPLE_STATUS, role: 'backup', serving: false }));
    expect(printed.map((line) => line.replace(/^\+\d+\.\d s /, ''))).toEqual([
      'main, serving, epoch 3, protected; peer 10.77.0.12 (02:00:00:00:00:02) alive, backup\n',
      'backup, epoch 3, protected; peer 10.77.0.12 (02:00:00:00:00:02) alive, backup\n',
    ]);
  });

  it('waits for a node that goes and comes back', async () => {
    const printed = await look(2, (soFar) => {
      if (soFar.length === 1) void serve();
    });
    expect(printed[0]).toContain('no answer from');
    expect(printed[1]).toContain('main, serving');
  });

  it('redraws a terminal', async () => {
    await serve();
    const isTTY = Object.getOwnPropertyDescriptor(process.stdout, 'isTTY');
    Object.defineProperty(process.stdout, 'isTTY', { value: true, configurable: true });
    try {
      const [first] = await look(1);
      expect(first?.startsWith('\u001b[2J\u001b[Hservice ')).toBe(true);
    } finally {
      if (isTTY === undefined) Reflect.deleteProperty(process.stdout, 'isTTY');
      else Object.defineProperty(process.stdout, 'isTTY', isTTY);
    }
  });

  it.each(['0', 'often', '49'])('refuses an interval of %s', async (interval) => {
    expect(await call('watch', '-s', socket, '--interval', interval)).toEqual({
      code: 2,
      out: '',
      err: 'rfsis: --interval: expected 50 to 3600000 (milliseconds)\n',
    });
  });
});

describe('rfsis', () => {
  it('explains itself', async () => {
    const { code, out } = await call('--help');
    expect(code).toBe(0);
    for (const command of ['status', 'watch', 'handover', 'check-config', 'schema']) {
      expect(out).toContain(`  ${command} `);
    }
    expect(await call('status', '--help')).toMatchObject({
      code: 0,
      out: expect.stringContaining("the node's control socket; default") as string,
    });
  });

  it.each([[[]], [['stop']], [['check-config']], [['status', '--yaml']]])(
    'called with %j exits with 2',
    async (args) => {
      expect(await call(...args)).toMatchObject({ code: 2, out: '' });
    },
  );
});

describe('as a command of its own it', () => {
  const children: Child[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.process.kill('SIGKILL');
      await child.ended;
    }
  });

  function start(...args: string[]): Child {
    const child = run('bin/rfsis.js', ...args);
    children.push(child);
    return child;
  }

  it('checks a configuration', async () => {
    expect(await start('check-config', configuration()).ended).toMatchObject({ code: 0, stderr: '' });
    const { code, stdout, stderr } = await start('check-config', join(directory, 'none.json')).ended;
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^rfsis: cannot read the configuration: ENOENT[^\n]*\n$/);
  });

  it('ends quietly when its reader has seen enough', async () => {
    // Each look sees another epoch, and so prints a line.
    let epoch = 0;
    await serve(undefined, () => ({ ...SAMPLE_STATUS, epoch: ++epoch }));
    const child = start('watch', '-s', socket, '--interval', '50');
    await child.prints('epoch 1,');
    child.process.stdout?.destroy();
    const { code, stderr } = await child.ended;
    expect([code, stderr]).toEqual([0, '']);
  });
});
