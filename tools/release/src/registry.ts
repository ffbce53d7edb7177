// A registry on loopback for the packages of this workspace and for nothing else: npm fetches all others where it always does.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandEnvironment } from './command-runner.js';
import { SetupError } from './setup-error.js';

/** The scope of the packages. */
export const SCOPE = '@rfsis';

const START_LIMIT_MS = 30_000;
const ANSWER_LIMIT_MS = 10_000;
const USER = { name: 'release-check', password: 'known to this machine only' };

/** What the registry knows of a package. */
export interface RegistryEntry {
  readonly 'dist-tags': Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, unknown>>;
}

/** A verdaccio in a process of its own. */
export class Registry implements AsyncDisposable {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #token: string;

  private constructor(process: ChildProcess, url: string, token: string) {
    this.#process = process;
    this.url = url;
    this.#token = token;
  }

  /**
   * @param folder for its configuration and storage; it is made
   * @throws {SetupError} when it does not start
   */
  static async start(folder: string): Promise<Registry> {
    await mkdir(folder, { recursive: true });
    const configuration = join(folder, 'config.json'); // JSON is YAML.
    await writeFile(configuration, JSON.stringify(configurationIn(folder)));
    const process = fork(join(import.meta.dirname, 'registry-process.js'), [configuration], {
      cwd: folder,
      env: commandEnvironment(globalThis.process.env),
      execArgv: ['--no-warnings'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let said = '';
    for (const stream of [process.stdout, process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-2000);
      });
    }
    try {
      const [port] = (await Promise.race([
        once(process, 'message', { signal: AbortSignal.timeout(START_LIMIT_MS) }),
        once(process, 'exit').then(() => {
          throw new SetupError('it ended');
        }),
      ])) as [number];
      const url = `http://127.0.0.1:${port}/`;
      return new Registry(process, url, await addUser(url));
    } catch (error) {
      process.kill('SIGKILL');
      throw new SetupError(
        `the registry did not start: ${String(error)}; it said: ${said.trim() || 'nothing'}`,
      );
    }
  }

  /** Lines of an .npmrc: our scope comes from here. */
  get readerSettings(): string {
    return `${SCOPE}:registry=${this.url}\n`;
  }

  /** Lines of an .npmrc of somebody who may publish. */
  get publisherSettings(): string {
    return `${this.readerSettings}${this.url.replace('http:', '')}:_authToken=${this.#token}\n`;
  }

  /** @returns undefined when there is no such package */
  async entry(name: string): Promise<RegistryEntry | undefined> {
    const answer = await request(this.url + name.replace('/', '%2f'));
    return answer.ok ? ((await answer.json()) as RegistryEntry) : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }
}

function configurationIn(folder: string): object {
  return {
    storage: join(folder, 'storage'),
    auth: { htpasswd: { file: join(folder, 'htpasswd'), max_users: 1 } },
    uplinks: {},
    packages: { [`${SCOPE}/*`]: { access: '$all', publish: '$authenticated' } },
    web: { enable: false },
    log: { type: 'stdout', format: 'json', level: 'warn' },
  };
}

/** @returns a token with which to publish */
async function addUser(url: string): Promise<string> {
  const answer = await request(`${url}-/user/org.couchdb.user:${USER.name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(USER),
  });
  const { token } = (await answer.json()) as { token?: string };
  if (token === undefined) throw new Error(`it gave no token (HTTP status ${answer.status})`);
  return token;
}

async function request(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
}
