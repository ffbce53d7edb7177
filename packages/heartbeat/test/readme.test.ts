import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';

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
    'main, beat 1, epoch 1',
    'main, beat 2, epoch 1',
    'main, beat 3, epoch 1',
  ]);
});

it('README: the table of octets is that of the source', () => {
  const readme = readFileSync(join(packageDirectory, 'README.md'), 'utf8');
  const source = readFileSync(join(packageDirectory, 'src/beat-view.ts'), 'utf8');
  const rows = [...readme.matchAll(/^\| +(\d+) \| +(\d+) \| (\w+) /gm)].map(
    ([, offset, octets]) => `${offset} ${octets}`,
  );
  const lines = [...source.matchAll(/^\/\/ +(\d+) +(\d+) \w/gm)].map(
    ([, offset, octets]) => `${offset} ${octets}`,
  );
  expect(rows).toHaveLength(12);
  expect(rows).toEqual(lines);
});
