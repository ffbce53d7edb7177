// HTTP on a Unix socket: GET /status, GET /metrics, POST /handover.
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
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

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * Makes the socket at `path`, readable and writable for the owner only. A socket left by a dead process is replaced.
   * @throws {RfsisError} `RFSIS_CONTROL_SOCKET`
   */
  static async open(path: string, target: ControlTarget): Promise<ControlServer> {
    try {
      mkdirSync(dirname(path), { recursive: true });
      await makeWay(path);
    } catch (error) {
      throw cannotOpen(path, error);
    }
    const server = createServer((request, response) => {
      void answer(request, response, target);
    });
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        reject(cannotOpen(path, error));
      });
      server.listen(path, resolve);
    });
    // A node must not die because a connection to its control socket could not be accepted.
    server.on('error', () => undefined);
    try {
      chmodSync(path, 0o600);
    } catch (error) {
      server.close();
      throw cannotOpen(path, error);
    }
    return new ControlServer(server);
  }

  /** Ends all requests and removes the socket, both within this call. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    // It removes its socket itself. Doing so here too, later, might hit the socket of a successor.
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
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

/** Removes a socket that a dead process has left, and nothing else: the path may be a slip of the pen. */
async function makeWay(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new RfsisError(
      'RFSIS_CONTROL_SOCKET',
      `${path} is there and no socket: remove it, or set controlSocket to another path`,
    );
  }
  if (await isServed(path)) {
    throw new RfsisError(
      'RFSIS_CONTROL_SOCKET',
      `another process serves the control socket ${path}: stop it, or set controlSocket to another path`,
    );
  }
  rmSync(path, { force: true });
}

/** Whether a process listens there; one that is too busy to answer does. */
function isServed(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // Reset: it was just closed, and is gone.
      if (['ECONNREFUSED', 'ENOENT', 'ECONNRESET'].includes(error.code ?? '')) resolve(false);
      else if (error.code === 'EAGAIN') resolve(true);
      else reject(error);
    });
  });
}

function cannotOpen(path: string, error: unknown): RfsisError {
  if (error instanceof RfsisError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new RfsisError(
    'RFSIS_CONTROL_SOCKET',
    `cannot make the control socket ${path} (${why}): set controlSocket to a path this user may write`,
    { cause: error },
  );
}
