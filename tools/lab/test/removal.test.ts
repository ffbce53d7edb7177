import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { Lab } from '../src/index.js';
import { isAlive } from '../src/namespace-processes.js';
import { Child, type ChildEnd } from './child.js';
import { obstacle, remainsOf } from './lab-tests.js';

const OWNER = join(import.meta.dirname, 'programs/owner.mjs');

/** Starts a program that makes a lab, ends it, and tells what was left right after. */
async function afterEnd(
  ending: string,
  signal?: NodeJS.Signals,
): Promise<{ owner: Child; lab: string; program: number; end: ChildEnd; remains: string[] }> {
  const owner = new Child(OWNER, ending);
  try {
    const made = await owner.event('made');
    const lab = String(made['lab']);
    if (signal !== undefined) owner.signal(signal);
    const end = await owner.ended;
    return { owner, lab, program: Number(made['program']), end, remains: remainsOf(lab) };
  } finally {
    await owner.kill();
  }
}

describe.skipIf(obstacle !== undefined)('a lab whose process ends', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'by %s is removed, and the signal still ends it',
    async (signal) => {
      const { end, remains, program } = await afterEnd('wait', signal);
      expect(end).toEqual({ code: null, signal });
      expect(remains).toEqual([]);
      // Killed, but a moment passes until the kernel has taken it down.
      await vi.waitFor(() => {
        expect(isAlive(program)).toBe(false);
      }, 5000);
    },
  );

  it('by an uncaught error is removed', async () => {
    const { end, remains, owner } = await afterEnd('throw');
    expect(end.code).toBe(1);
    expect(owner.errors.tail(20)).toContain('a bug');
    expect(remains).toEqual([]);
  });

  it('by process.exit is removed', async () => {
    const { end, remains } = await afterEnd('exit');
    expect(end.code).toBe(3);
    expect(remains).toEqual([]);
  });

  it('with a signal handler of its own decides itself', async () => {
    const { end, remains, owner } = await afterEnd('handler', 'SIGTERM');
    expect(await owner.event('deciding')).toMatchObject({ running: true });
    expect(end.code).toBe(7);
    expect(remains).toEqual([]);
  });

  it('by kill -9 leaves no process, and namespaces only until the next lab is made', async () => {
    const { lab, program, remains } = await afterEnd('wait', 'SIGKILL');
    expect(remains.length).toBeGreaterThan(0);
    await vi.waitFor(() => {
      expect(isAlive(program)).toBe(false);
    });
    await using living = await Lab.create();
    expect(remainsOf(lab)).toEqual([]);
    // Reaping again leaves the living alone.
    await Lab.reap();
    await living.addHost('client');
  });
});
