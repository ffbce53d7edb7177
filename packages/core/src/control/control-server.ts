// HTTP on a Unix socket: GET /status, GET /metrics, POST /handover.
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { RfsisError } from '../errors.js';
import type { NodeStatus } from './status.js';

/** What the server asks of the node. */
export interface ControlTarget {
  status(): NodeStatus;
  /** Prometheus text exposition format. */
  metrics(): Promise<{ contentType: string; text: string }>;
  /** @throws {RfsisError} `RFSIS_HANDOVER_REFUSED` */
  handover(): Promise<void>;
}

/** Octets of a request body that are read and ignored; more ends the connection. */
const MAX_BODY_OCTETS = 4096;
const MAX_CONNECTIONS = 32;

/** Serves one node's control socket. */
export class ControlServer {
  readonly #server: Server;
  readonly #path: string;

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.#path = path;
  }

  /**
   * Makes the socket at `path`, readable and writable for the owner only. A socket left by a dead process is replaced.
   * @throws {RfsisError} `RFSIS_CONTROL_SOCKET`
   */
  static async open(path: string, target: ControlTarget): Promise<ControlServer> {
    try {
      mkdirSync(dirname(path), { recursive: true });
    } catch (error) {
      throw cannotOpen(path, error);
    }
    if (await answers(path)) {
      throw new RfsisError(
        'RFSIS_CONTROL_SOCKET',
        `another process serves the control socket ${path}: stop it, or set controlSocket to another path`,
      );
    }
    rmSync(path, { force: true });
    const server = createServer((request, response) => {
      void answer(request, response, target);
    });
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        reject(cannotOpen(path, error));
      });
      server.listen(path, () => {
        resolve();
      });
    });
    chmodSync(path, 0o600);
    return new ControlServer(server, path);
  }

  /** Ends all requests and removes the socket. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    rmSync(this.#path, { force: true });
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  target: ControlTarget,
): Promise<void> {
  let octets = 0;
  request.on('data', (chunk: Buffer) => {
    octets += chunk.length;
    if (octets > MAX_BODY_OCTETS) request.destroy();
  });
  const allowed = METHODS.get(request.url ?? '');
  try {
    if (allowed === undefined) {
      json(response, 404, { error: `no such path; there are ${[...METHODS.keys()].join(', ')}` });
    } else if (request.method !== allowed) {
      response.setHeader('allow', allowed);
      json(response, 405, { error: `${String(request.url)} takes ${allowed}` });
    } else if (request.url === '/status') {
      json(response, 200, target.status());
    } else if (request.url === '/metrics') {
      const { contentType, text } = await target.metrics();
      response.writeHead(200, { 'content-type': contentType }).end(text);
    } else {
      await target.handover();
      json(response, 200, target.status());
    }
  } catch (error) {
    if (error instanceof RfsisError) json(response, 409, { error: error.message, code: error.code });
    else json(response, 500, { error: error instanceof Error ? error.message : String(error) });
  }
}

const METHODS: ReadonlyMap<string, string> = new Map([
  ['/status', 'GET'],
  ['/metrics', 'GET'],
  ['/handover', 'POST'],
]);

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

function cannotOpen(path: string, error: unknown): RfsisError {
  const why = error instanceof Error ? error.message : String(error);
  return new RfsisError(
    'RFSIS_CONTROL_SOCKET',
    `cannot make the control socket ${path} (${why}): set controlSocket to a path this user may write`,
    { cause: error },
  );
}
