// The example in README.md is run as it stands there.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, vi } from 'vitest';
import { DEFAULT_STACK_LIMITS } from '../src/index.js';
import { bench } from './network.js';

const folder = join(import.meta.dirname, '..');
const readme = readFileSync(join(folder, 'README.md'), 'utf8');

it('the example of the README prints what it says, and ends', async () => {
  const example = /```ts\n([^]*?)```/.exec(readme)?.[1] ?? '';
  const file = join(folder, 'out-tsc/readme-example.ts');
  mkdirSync(join(folder, 'out-tsc'), { recursive: true });
  writeFileSync(file, example);
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const ended = new Promise<void>((resolve) => {
    vi.spyOn(process, 'exit').mockImplementation(() => {
      resolve();
      return undefined as never;
    });
  });
  await import(pathToFileURL(file).href);
  await ended;
  expect(log.mock.calls).toEqual([['hello']]);
  vi.restoreAllMocks();
});

it('the README names every option, counted reason and error code', () => {
  const text = readme.replace(/\s+/g, ' ');
  for (const [name, value] of Object.entries<number>({ ...DEFAULT_STACK_LIMITS })) {
    expect(text).toContain(`\`${name}\` ${value.toLocaleString('en-US')}`);
  }
  const { ethernet, ipv4, icmp, udp } = bench().stack.counters;
  for (const reasons of [
    ethernet.rxDrops,
    ipv4.rxDrops,
    ipv4.txDrops,
    icmp.rxDrops,
    icmp.txDrops,
    udp.rxDrops,
  ]) {
    for (const reason of Object.keys(reasons)) expect(text).toContain(`\`${reason}\``);
  }
  const codes = readFileSync(join(folder, 'src/errors.ts'), 'utf8').match(/RFSIS_STACK_\w+/g) ?? [];
  expect(codes.length).toBeGreaterThan(7);
  for (const code of codes) expect(text).toContain(`\`${code}\``);
});
