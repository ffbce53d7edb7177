// CapDevice on real interfaces. The tests themselves are in lab/; they run in a process of their own, in a network namespace of
// its own, and each is reported here by its name.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runInNamespace, whyNoNamespace } from './lab/namespace.js';

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo';
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

async function runLab(): Promise<Report> {
  const directory = mkdtempSync(join(tmpdir(), 'rfsis-link-lab-'));
  try {
    const file = join(directory, 'report.json');
    const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
    const config = join(import.meta.dirname, 'lab/vitest.config.ts');
    const args = [vitest, 'run', '--config', config, '--reporter=json', `--outputFile=${file}`];
    const { code, output } = await runInNamespace(process.execPath, args, 120_000);
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as Report;
    } catch (error) {
      throw new Error(`the tests in the namespace ended with code ${String(code)}:\n${output}`, {
        cause: error,
      });
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const reason = whyNoNamespace();
if (reason !== undefined) {
  // As root in continuous integration there is no excuse.
  const mustRun = process.env['CI'] === 'true' && process.getuid?.() === 0;
  it.skipIf(!mustRun)(`CapDevice on real interfaces (skipped: ${reason})`, () => {
    expect(reason).toBeUndefined();
  });
} else {
  const report = await runLab();
  describe('in a network namespace', () => {
    for (const { assertionResults, message } of report.testResults) {
      it('ran', () => {
        expect(message).toBe('');
        expect(assertionResults.length).toBeGreaterThan(0);
      });
      for (const { fullName, status, failureMessages } of assertionResults) {
        it.skipIf(status !== 'passed' && status !== 'failed')(fullName, () => {
          expect(failureMessages).toEqual([]);
          expect(status).toBe('passed');
        });
      }
    }
  });
}
