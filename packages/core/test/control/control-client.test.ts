import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlClient, findControlSocket } from '../../src/control/control-client.js';
import { ControlServer } from '../../src/control/control-server.js';
import { RfsisError } from '../../src/errors.js';
import { SAMPLE_STATUS } from './sample-status.js';

let directory: string;
let path: string;
let close: (() => unknown)[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rfsis-client-'));
  path = join(directory, 'node.sock');
  close = [];
});

afterEach(async () => {
  for (const each of close) await each();
  rmSync(directory, { recursive: true, force: true });
});

/** Something else than a node. */
async function impostor(listener: RequestListener): Promise<void> {
  const server: Server = createServer(listener);
  await new Promise<void>((listening) => server.listen(path, listening));
  close.push(() => {
    server.closeAllConnections();
    server.close();
  });
}

describe('the client of a node', () => {
  it('gets its status, its metrics, and a handover', async () => {
    const server = await ControlServer.open(path, {
      status: () => SAMPLE_STATUS,
      metrics: () => Promise.resolve({ contentType: 'text/plain', text: 'rfsis_epoch 3\n' }),
      handover: () => Promise.resolve(),
    });
    close.push(() => server.close());
    const client = new ControlClient(path);
    expect(await client.status()).toEqual(SAMPLE_STATUS);
    expect(await client.metrics()).toBe('rfsis_epoch 3\n');
    expect(await client.handover()).toEqual(SAMPLE_STATUS);
  });

  it('is told why a handover is refused', async () => {
    const server = await ControlServer.open(path, {
      status: () => SAMPLE_STATUS,
      metrics: () => Promise.reject(new Error('no')),
      handover: () => Promise.reject(new RfsisError('RFSIS_HANDOVER_REFUSED', 'there is no backup')),
    });
    close.push(() => server.close());
    const client = new ControlClient(path);
    await expect(client.handover()).rejects.toMatchObject({
      code: 'RFSIS_HANDOVER_REFUSED',
      message: 'there is no backup',
    });
    await expect(client.metrics()).rejects.toMatchObject({
      code: 'RFSIS_NO_NODE',
      message: 'unexpected answer: "{\\"error\\":\\"no\\"}\\n"',
    });
  });
});

describe('without a node', () => {
  it('says where it looked and what may be the matter', async () => {
    await expect(new ControlClient(path).status()).rejects.toMatchObject({
      code: 'RFSIS_NO_NODE',
      message: `no answer from ${path} (ENOENT): is the node running, with this control socket?`,
    });
  });

  it('that died in the middle of its answer there is no node either', async () => {
    await impostor((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"role":');
      response.socket?.end();
    });
    await expect(new ControlClient(path).status()).rejects.toMatchObject({
      code: 'RFSIS_NO_NODE',
      message: expect.stringMatching(/^no answer from .* \(ECONNRESET\)/) as string,
    });
  });

  it.each([
    [200, 'hello\nworld'],
    [409, 'hello\nworld'],
    [409, '{}'],
    [404, '{}'],
  ])('but something else that answers %i %j', async (status, body) => {
    await impostor((_request, response) => {
      response.writeHead(status).end(body);
    });
    const failure = new ControlClient(path).handover();
    await expect(failure).rejects.toMatchObject({
      code: 'RFSIS_NO_NODE',
      message: `unexpected answer: ${JSON.stringify(body)}`,
    });
  });
});

describe('the control socket, when none is named,', () => {
  it('is the only one there is', () => {
    writeFileSync(join(directory, 'one.sock'), '');
    writeFileSync(join(directory, 'other.pid'), '');
    expect(findControlSocket(directory)).toBe(join(directory, 'one.sock'));
  });

  it('is missed when there is none, or no directory', () => {
    for (const where of [directory, join(directory, 'missing')]) {
      expect(() => findControlSocket(where)).toThrow(
        `no node runs here: ${where} has no control socket; name one with --socket or --config`,
      );
    }
  });

  it('must be chosen when there are several', () => {
    mkdirSync(join(directory, 'a'), { recursive: true });
    for (const name of ['x.sock', 'y.sock']) writeFileSync(join(directory, name), '');
    expect(() => findControlSocket(directory)).toThrow(
      `several nodes run here, choose one with --socket: ${join(directory, 'x.sock')} ${join(directory, 'y.sock')}`,
    );
  });
});
