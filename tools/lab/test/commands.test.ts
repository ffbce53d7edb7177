import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { mustRun, runCommand } from '../src/commands.js';
import { isAlive } from '../src/namespace-processes.js';

describe('commands', () => {
  it('give back what they print and how they end', async () => {
    expect(await runCommand(['sh', '-c', 'cat; echo oops >&2; exit 3'], { input: 'in' })).toEqual({
      stdout: 'in',
      stderr: 'oops\n',
      code: 3,
    });
  });

  it('run node as the Node.js of this process', async () => {
    expect(await mustRun(['node', '-p', 'process.version'])).toBe(`${process.version}\n`);
  });

  it('are killed with all they started when their time is over', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rfsis-test-'));
    try {
      const note = join(folder, 'pid');
      const script = `sleep 60 & echo $! > ${note}.new; mv ${note}.new ${note}; wait`;
      await expect(runCommand(['sh', '-c', script], { timeoutMs: 1_000 })).rejects.toMatchObject({
        code: 'RFSIS_LAB_TIMEOUT',
      });
      const grandchild = Number(await readFile(note, 'utf8'));
      expect(grandchild).toBeGreaterThan(1);
      await vi.waitFor(() => {
        expect(isAlive(grandchild)).toBe(false);
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('are killed when they print too much', async () => {
    await expect(runCommand(['yes'], { maxOutputBytes: 1000 })).rejects.toMatchObject({
      code: 'RFSIS_LAB_COMMAND_FAILED',
      message: expect.stringContaining('more than 1000 octets') as string,
    });
  });

  it('that fail become one line with their last words', async () => {
    await expect(mustRun(['sh', '-c', 'echo first >&2; echo second >&2; exit 4'])).rejects.toMatchObject({
      code: 'RFSIS_LAB_COMMAND_FAILED',
      message: expect.stringMatching(/^"sh -c .*" failed with exit code 4, saying: first; second$/) as string,
    });
  });

  it('that do not exist are an error, not an exception of Node', async () => {
    await expect(runCommand(['/no/such/program'])).rejects.toMatchObject({
      code: 'RFSIS_LAB_COMMAND_FAILED',
    });
  });

  it('may end without reading their input', async () => {
    expect((await runCommand(['true'], { input: 'x'.repeat(1 << 20) })).code).toBe(0);
  });
});
