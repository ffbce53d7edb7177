import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lab } from '@rfsis/tool-lab';
import { describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../src/command-line.js';
import type { FailoverReport } from '../src/index.js';

async function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += String(text);
    return true;
  });
  try {
    return { code: await runCommandLine(['node', 'rfsis-bench', ...args]), out, err };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

describe('the command line', () => {
  it('explains itself', async () => {
    const general = await run('--help');
    expect(general.code).toBe(0);
    expect(general.out).toContain('failover-udp --json --runs 5');
    const special = await run('failover-udp', '--help');
    expect(special.code).toBe(0);
    for (const word of ['--runs', '--peer', '--svg', '--check', 'last sign', 'prober late']) {
      expect(special.out).toContain(word);
    }
  });

  it.each([
    [['failover-tdp'], "unknown command 'failover-tdp'"],
    [['failover-udp', '--runs', '1.5'], 'Expected a whole number from 1 to 1000'],
    [['failover-udp', '--timeout', 'soon'], 'Expected a whole number from 2 to 60000'],
    [['failover-udp', '--peer', 'heartbeat'], 'Allowed choices are auto, keepalived, none'],
  ])('%j is refused with exit code 2', async (args, reason) => {
    const { code, err } = await run(...args);
    expect(err).toContain(reason);
    expect(code).toBe(2);
  });
});

const verdict = Lab.available();
const isBuilt = existsSync(new URL('../../../apps/echo-udp/dist/main.js', import.meta.url));
const obstacle = verdict.ok ? (isBuilt ? undefined : 'echo-udp is not built') : verdict.reason;

describe.skipIf(obstacle !== undefined)(`failover-udp ${obstacle ?? ''}`, () => {
  it(
    'measures one failover, prints one JSON object, draws, and leaves nothing behind',
    { timeout: 120_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'rfsis-bench-test-'));
      try {
        const svg = join(folder, 'gaps.svg');
        const { code, out, err } = await run(
          ...['failover-udp', '--json', '--runs', '1', '--peer', 'none', '--svg', svg],
        );
        const report = JSON.parse(out) as FailoverReport;
        expect(code, err).toBe(0);
        expect(report.peer).toBeNull();
        expect(report.rfsis.failures).toEqual([]);
        expect(report.rfsis.runs, err).toHaveLength(1);
        const [first] = report.rfsis.runs;
        expect(first?.gapMs).toBeGreaterThan(15);
        expect(first?.detectMs).toBeGreaterThanOrEqual(30);
        expect(Object.values(first?.afterPowerLossMs ?? {})).not.toContain(null);
        expect(err).toContain('RFSIS 1 of 1: a gap of ');
        expect(readFileSync(svg, 'utf8')).toContain('</svg>');
        expect(Lab.list().filter((name) => name.startsWith(`${process.pid}-`))).toEqual([]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});
