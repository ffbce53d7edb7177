// The other end of the control socket: what the rfsis command and tests use.
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { CONTROL_SOCKET_DIRECTORY } from '../config/configuration.js';
import { RfsisError } from '../errors.js';
import type { NodeStatus } from './status.js';

/** How long a node may take for an answer it has at hand. */
const TIMEOUT_MS = 5000;
const HTTP_CONFLICT = 409;

/** Talks to the node behind one control socket. */
export class ControlClient {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws {RfsisError} `RFSIS_NO_NODE` */
  async status(): Promise<NodeStatus> {
    return parseStatus(await this.#ask('GET', '/status', TIMEOUT_MS));
  }

  /**
   * Prometheus text.
   * @throws {RfsisError} `RFSIS_NO_NODE`
   */
  metrics(): Promise<string> {
    return this.#ask('GET', '/metrics', TIMEOUT_MS);
  }

  /**
   * Asks a main to hand over; resolves when its peer serves. Waits for as long as the node lives: it knows its timeouts.
   * @throws {RfsisError} `RFSIS_NO_NODE`, `RFSIS_HANDOVER_REFUSED`
   */
  async handover(): Promise<NodeStatus> {
    return parseStatus(await this.#ask('POST', '/handover', 0));
  }

  #ask(method: string, path: string, timeoutMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException): void => {
        reject(noNode(this.#path, error));
      };
      const call = request({ socketPath: this.#path, method, path, timeout: timeoutMs }, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        // The node died in the middle of its answer.
        response.on('error', fail);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(body);
          else reject(refusal(response.statusCode, body));
        });
      });
      call.on('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
      call.on('error', fail);
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

function parseStatus(body: string): NodeStatus {
  try {
    return JSON.parse(body) as NodeStatus;
  } catch {
    throw unexpected(body);
  }
}

function refusal(statusCode: number | undefined, body: string): RfsisError {
  if (statusCode !== HTTP_CONFLICT) return unexpected(body);
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    if (typeof error === 'string') return new RfsisError('RFSIS_HANDOVER_REFUSED', error);
  } catch {
    // No answer of a node.
  }
  return unexpected(body);
}

/** Somebody else listens there, or a node of another version. */
function unexpected(body: string): RfsisError {
  return new RfsisError('RFSIS_NO_NODE', `unexpected answer: ${JSON.stringify(body.slice(0, 200))}`);
}
