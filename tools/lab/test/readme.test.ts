import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { UdpReport } from '../src/index.js';
import { obstacle } from './lab-tests.js';

const folder = join(import.meta.dirname, '..');

describe.skipIf(obstacle !== undefined)('the README', () => {
  it('has an example that works', async () => {
    const readme = await readFile(join(folder, 'README.md'), 'utf8');
    const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const file = join(folder, 'out-tsc/readme-example.ts');
    await mkdir(join(folder, 'out-tsc'), { recursive: true });
    await writeFile(file, example);
    const { report } = (await import(file)) as { report: UdpReport };
    expect(report.answered).toBeGreaterThan(0);
    expect(report.corrupted).toBe(0);
    expect(report.gaps.at(-1)).toMatchObject({ open: true });
  });
});
