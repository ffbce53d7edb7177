// The other end of the control socket: what the rfsis command and tests use.
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { CONTROL_SOCKET_DIRECTORY } from '../config/configuration.js';
import { RfsisError } from '../errors.js';
import type { NodeStatus } from './status.js';

const TIMEOUT_MS = 5000;

/** Talks to the node behind one control socket. */
export class ControlClient {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws {RfsisError} `RFSIS_NO_NODE` */
  async status(): Promise<NodeStatus> {
    return JSON.parse(await this.#ask('GET', '/status')) as NodeStatus;
  }

  /**
   * Prometheus text.
   * @throws {RfsisError} `RFSIS_NO_NODE`
   */
  metrics(): Promise<string> {
    return this.#ask('GET', '/metrics');
  }

  /**
   * Asks a main to hand over; resolves when its peer serves.
   * @throws {RfsisError} `RFSIS_NO_NODE`, `RFSIS_HANDOVER_REFUSED`
   */
  async handover(): Promise<NodeStatus> {
    return JSON.parse(await this.#ask('POST', '/handover')) as NodeStatus;
  }

  #ask(method: string, path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.#path, method, path, timeout: TIMEOUT_MS }, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(body);
          else reject(refusal(body));
        });
      });
      call.on('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
      call.on('error', (error: NodeJS.ErrnoException) => {
        reject(noNode(this.#path, error));
      });
      call.end();
    });
  }
}

/**
 * The control socket to use when none is named: the only one in the usual directory.
 * @throws {RfsisError} `RFSIS_NO_NODE` when there is none or more than one
 */
export function findControlSocket(directory: string = CONTROL_SOCKET_DIRECTORY): string {
  let names: string[];
  try {
    names = readdirSync(directory).filter((name) => name.endsWith('.sock'));
  } catch {
    names = [];
  }
  const [first, ...others] = names.map((name) => join(directory, name));
  if (first === undefined) {
    throw new RfsisError(
      'RFSIS_NO_NODE',
      `no node runs here: ${directory} has no control socket; name one with --socket or --config`,
    );
  }
  if (others.length > 0) {
    throw new RfsisError(
      'RFSIS_NO_NODE',
      `several nodes run here, choose one with --socket: ${[first, ...others].join(' ')}`,
    );
  }
  return first;
}

function noNode(path: string, error: NodeJS.ErrnoException): RfsisError {
  const hint =
    error.code === 'EACCES'
      ? 'this user may not: try as root'
      : 'is the node running, with this control socket?';
  return new RfsisError('RFSIS_NO_NODE', `no answer from ${path} (${error.code ?? error.message}): ${hint}`, {
    cause: error,
  });
}

function refusal(body: string): RfsisError {
  try {
    const { error } = JSON.parse(body) as { error: string };
    return new RfsisError('RFSIS_HANDOVER_REFUSED', error);
  } catch {
    return new RfsisError('RFSIS_NO_NODE', `unexpected answer: ${body.slice(0, 200)}`);
  }
}
