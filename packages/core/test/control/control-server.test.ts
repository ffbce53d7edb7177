import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlServer, type ControlTarget } from '../../src/control/control-server.js';
import { RfsisError } from '../../src/errors.js';
import { SAMPLE_STATUS } from './sample-status.js';

let directory: string;
let path: string;
let open: ControlServer[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rfsis-control-'));
  path = join(directory, 'node.sock');
  open = [];
});

afterEach(async () => {
  for (const server of open) await server.close();
  rmSync(directory, { recursive: true, force: true });
});

async function serve(target: Partial<ControlTarget> = {}, at = path): Promise<ControlServer> {
  const server = await ControlServer.open(at, {
    status: () => SAMPLE_STATUS,
    metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'rfsis_epoch 3\n' }),
    handover: () => Promise.resolve(),
    ...target,
  });
  open.push(server);
  return server;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

function ask(method: string, url: string, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: path, method, path: url }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode, headers: response.headers, body: text });
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}

describe('GET /status', () => {
  it('gives the status as JSON', async () => {
    await serve();
    const { status, headers, body } = await ask('GET', '/status');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json');
    expect(JSON.parse(body)).toEqual(SAMPLE_STATUS);
  });
});

describe('GET /metrics', () => {
  it('gives the text with its own content type', async () => {
    await serve();
    const { status, headers, body } = await ask('GET', '/metrics');
    expect([status, headers['content-type'], body]).toEqual([
      200,
      'text/plain; version=0.0.4',
      'rfsis_epoch 3\n',
    ]);
  });

  it('that fails is an internal error', async () => {
    await serve({ metrics: () => Promise.reject(new Error('no figures')) });
    expect(await ask('GET', '/metrics')).toMatchObject({ status: 500, body: '{"error":"no figures"}\n' });
  });
});

describe('POST /handover', () => {
  it('gives the status afterwards', async () => {
    let handedOver = false;
    await serve({
      status: () => ({ ...SAMPLE_STATUS, role: handedOver ? 'backup' : 'main' }),
      handover: () => {
        handedOver = true;
        return Promise.resolve();
      },
    });
    const { status, body } = await ask('POST', '/handover');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ role: 'backup' });
  });

  it('is refused with 409 and the reason', async () => {
    await serve({
      handover: () => Promise.reject(new RfsisError('RFSIS_HANDOVER_REFUSED', 'there is no backup')),
    });
    const { status, body } = await ask('POST', '/handover');
    expect(status).toBe(409);
    expect(JSON.parse(body)).toEqual({ error: 'there is no backup', code: 'RFSIS_HANDOVER_REFUSED' });
  });

  it('reads no more of a body than a little', async () => {
    await serve();
    expect(await ask('POST', '/handover', 'x'.repeat(4096))).toMatchObject({ status: 200 });
    await expect(ask('POST', '/handover', 'x'.repeat(1_000_000))).rejects.toThrow();
    expect(await ask('GET', '/status')).toMatchObject({ status: 200 });
  });
});

describe('anything else', () => {
  it('is not found, and the paths are named', async () => {
    await serve();
    expect(await ask('GET', '/')).toMatchObject({
      status: 404,
      body: '{"error":"no such path; there are /status, /metrics, /handover"}\n',
    });
  });

  it.each([
    ['POST', '/status', 'GET'],
    ['DELETE', '/metrics', 'GET'],
    ['GET', '/handover', 'POST'],
  ])('%s %s is not allowed', async (method, url, allowed) => {
    await serve();
    const { status, headers } = await ask(method, url);
    expect([status, headers.allow]).toEqual([405, allowed]);
  });

  it('that is no HTTP does no harm', async () => {
    await serve();
    const socket = connect(path);
    socket.end('\0\0 hello\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    expect(await ask('GET', '/status')).toMatchObject({ status: 200 });
  });
});

describe('the socket', () => {
  it('is for the owner only, and its directory is made', async () => {
    path = join(directory, 'deep/down/node.sock');
    await serve();
    expect(statSync(path).isSocket()).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is removed by close, which may come twice', async () => {
    const server = await serve();
    await server.close();
    await server.close();
    expect(existsSync(path)).toBe(false);
  });

  it('is gone as soon as close is called: whoever comes next finds no trace', async () => {
    const server = await serve();
    const closed = server.close();
    expect(existsSync(path)).toBe(false);
    const next = createServer().listen(path);
    await closed;
    expect(existsSync(path)).toBe(true);
    next.close();
  });

  it('closes under a request that is not answered yet', async () => {
    const server = await serve({ handover: () => new Promise(() => undefined) });
    const asked = ask('POST', '/handover');
    const refused = expect(asked).rejects.toThrow();
    // Answered in turn, so the first request has been taken by then.
    await ask('GET', '/status');
    await server.close();
    await refused;
  });

  it('left by a dead process is replaced', async () => {
    await leaveSocketBehind(path);
    expect(statSync(path).isSocket()).toBe(true);
    await serve();
    expect(await ask('GET', '/status')).toMatchObject({ status: 200 });
  });

  it('of another process is left alone', async () => {
    await serve();
    await expect(ControlServer.open(path, {} as ControlTarget)).rejects.toMatchObject({
      code: 'RFSIS_CONTROL_SOCKET',
      message: `another process serves the control socket ${path}: stop it, or set controlSocket to another path`,
    });
    expect(await ask('GET', '/status')).toMatchObject({ status: 200 });
  });

  it.each([
    [
      'file',
      (at: string) => {
        writeFileSync(at, 'precious');
      },
    ],
    [
      'directory',
      (at: string) => {
        mkdirSync(at);
      },
    ],
  ])('never replaces a %s', async (_kind, make) => {
    make(path);
    await expect(serve()).rejects.toMatchObject({
      code: 'RFSIS_CONTROL_SOCKET',
      message: `${path} is there and no socket: remove it, or set controlSocket to another path`,
    });
    expect(statSync(path).isSocket()).toBe(false);
    if (statSync(path).isFile()) expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  it('that cannot be made is an error that says what to do', async () => {
    writeFileSync(join(directory, 'file'), '');
    const under = join(directory, 'file/node.sock');
    await expect(serve({}, under)).rejects.toMatchObject({
      code: 'RFSIS_CONTROL_SOCKET',
      message: expect.stringMatching(
        /^cannot make the control socket .*E(NOTDIR|EXIST).*set controlSocket to a path this user may write$/,
      ) as string,
    });
    const long = join(directory, 'x'.repeat(120));
    await expect(serve({}, long)).rejects.toMatchObject({ code: 'RFSIS_CONTROL_SOCKET' });
  });
});

/** What a killed process leaves: a socket on which nobody listens. */
async function leaveSocketBehind(at: string): Promise<void> {
  const program = `require('net').createServer().listen(${JSON.stringify(at)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const child = spawn(process.execPath, ['-e', program]);
  await once(child, 'exit');
}

describe('an answer to somebody who has left', () => {
  it('does no harm', async () => {
    let answer: () => void = () => undefined;
    let taken: () => void = () => undefined;
    const isTaken = new Promise<void>((resolve) => (taken = resolve));
    await serve({
      handover: () => {
        taken();
        return new Promise((resolve) => (answer = resolve));
      },
    });
    const call = request({ socketPath: path, method: 'POST', path: '/handover' });
    call.on('error', () => undefined);
    call.end();
    await isTaken;
    await new Promise((closed) => call.on('close', closed).destroy());
    answer();
    expect(await ask('GET', '/status')).toMatchObject({ status: 200 });
  });
});

describe('a listener of another kind', () => {
  let other: Server;
  afterEach(() => {
    other.close();
  });

  it('at the path counts as a process that lives, though it answers nothing', async () => {
    other = createServer();
    await new Promise<void>((listening) => other.listen(path, listening));
    await expect(serve()).rejects.toMatchObject({ code: 'RFSIS_CONTROL_SOCKET' });
    expect(statSync(path).isSocket()).toBe(true);
  });
});
