import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';
import { BEAT_DROP_REASONS } from '../src/index.js';

const packageDirectory = join(import.meta.dirname, '..');

afterEach(() => {
  vi.restoreAllMocks();
});

it('README: the example runs and prints what it should', async () => {
  const readme = readFileSync(join(packageDirectory, 'README.md'), 'utf8');
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const directory = join(packageDirectory, 'out-tsc');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'readme-example.ts');
  writeFileSync(file, example);
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await import(pathToFileURL(file).href);
  expect(log.mock.calls.map(([line]) => line as string)).toEqual([
    'the peer lives and is main',
    'the peer is dead: silence for 30 ms',
    'mean interval 10 ms',
  ]);
});

it('README: names every reason for which a beat is dropped', () => {
  const readme = readFileSync(join(packageDirectory, 'README.md'), 'utf8');
  for (const reason of BEAT_DROP_REASONS) expect(readme).toContain(`\`${reason}\``);
});
