import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, vi } from 'vitest';
import { ARP_DEFAULTS, newArpCounters } from '../src/index.js';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

it('the example of the README runs and prints what it says', async () => {
  const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const directory = join(root, 'out-tsc');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'readme-example.ts');
  writeFileSync(file, example);
  const print = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await import(pathToFileURL(file).href);
  expect(print.mock.calls).toEqual([['10.77.0.10 is at 02:00:00:00:00:01']]);
  print.mockRestore();
});

it('the README names every default, drop reason and error code', () => {
  const counters = newArpCounters();
  for (const [name, value] of Object.entries<number>({ ...ARP_DEFAULTS })) {
    expect(readme.replace(/\s+/g, ' ')).toContain(`\`${name}\` ${value.toLocaleString('en-US')}`);
  }
  for (const reason of [...Object.keys(counters.rxDrops), ...Object.keys(counters.txDrops)]) {
    expect(readme).toContain(`\`${reason}\``);
  }
});
