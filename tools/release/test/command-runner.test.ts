import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { commandEnvironment, CommandRunner, lastLines } from '../src/command-runner.js';
import { SetupError } from '../src/setup-error.js';

const options = { cwd: tmpdir(), limitMs: 10_000 };
const node = (code: string): readonly [string, readonly string[]] => [process.execPath, ['-e', code]];

/** Whether there is such a process that has not ended; one that nobody has asked for its end yet counts as ended. */
function isRunning(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
  } catch {
    return false;
  }
}

describe('CommandRunner', () => {
  it('tells standard output and everything that was said', async () => {
    using runner = new CommandRunner(10_000);
    const result = await runner.run(...node('console.log("1"); console.error("2")'), options);
    expect(result).toMatchObject({ ok: true, stdout: '1\n' });
    expect(result.output).toContain('2');
  });

  it('a failing exit code is a result', async () => {
    using runner = new CommandRunner(10_000);
    expect(await runner.run(...node('process.exit(3)'), options)).toMatchObject({ ok: false });
  });

  it('a program that is not there is a result', async () => {
    using runner = new CommandRunner(10_000);
    const result = await runner.run('no-such-program', [], options);
    expect(result.ok).toBe(false);
    expect(result.output).toContain('ENOENT');
  });

  it('a program that does not end is killed, and so is what it started', async () => {
    using runner = new CommandRunner(60_000);
    const code = `
      const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
      console.log(child.pid);
      setInterval(() => {}, 1000);`;
    const result = await runner.run(...node(code), { ...options, limitMs: 1500 });
    expect(result.ok).toBe(false);
    expect(result.output).toContain('killed: it did not end within');
    await vi.waitFor(() => {
      expect(isRunning(Number(result.stdout))).toBe(false);
    });
  });

  it('nothing starts after the time for all, or when it was stopped', async () => {
    using over = new CommandRunner(0);
    await expect(over.run(...node('0'), options)).rejects.toThrow('not done within the time');
    using stopped = new CommandRunner(10_000);
    const running = stopped.run(...node('setInterval(() => {}, 1000)'), options);
    stopped.stop();
    await expect(running).rejects.toThrow(SetupError);
    await expect(stopped.run(...node('0'), options)).rejects.toThrow('stopped');
  });
});

describe('commandEnvironment', () => {
  it('hands down settings of the user, but neither those of an npm run around it nor the identity of a CI job', () => {
    const environment = commandEnvironment({
      PATH: '/bin',
      NPM_CONFIG_REGISTRY: 'http://mirror.example/',
      npm_config_cafile: '/ca.pem',
      npm_config_local_prefix: '/workspace',
      npm_package_name: 'rfsis',
      'npm_config_@rfsis:registry': 'http://elsewhere.example/',
      NPM_CONFIG_PROVENANCE: 'true',
      ACTIONS_ID_TOKEN_REQUEST_URL: 'http://identity.example/',
    });
    expect(environment).toEqual({
      PATH: '/bin',
      NPM_CONFIG_REGISTRY: 'http://mirror.example/',
      npm_config_cafile: '/ca.pem',
      NO_COLOR: '1',
      NO_PROXY: '127.0.0.1',
      no_proxy: '127.0.0.1',
      npm_config_update_notifier: 'false',
    });
  });

  it('adds loopback to what needs no proxy', () => {
    expect(commandEnvironment({ no_proxy: '.example' })).toMatchObject({ NO_PROXY: '.example,127.0.0.1' });
  });
});

it('lastLines are the end of what was said', () => {
  expect(lastLines('1\n2\n3\n\n', 2)).toBe('2\n3');
});
