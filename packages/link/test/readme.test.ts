// The example in README.md is run as it stands there.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';

const folder = join(import.meta.dirname, '..');

it('does what README.md says', async () => {
  const example = /```ts\n([^]*?)```/.exec(readFileSync(join(folder, 'README.md'), 'utf8'))?.[1] ?? '';
  mkdirSync(join(folder, 'out-tsc'), { recursive: true });
  const file = join(folder, 'out-tsc/readme-example.ts');
  writeFileSync(file, example);
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await import(file);
  const promised = /prints "(.*)"/.exec(example)?.[1];
  expect(promised).toBeDefined();
  expect(log.mock.calls).toEqual([[promised]]);
});

it('names every error code', () => {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const codes = readFileSync(join(folder, 'src/errors.ts'), 'utf8').match(/RFSIS_LINK_\w+/g) ?? [];
  expect(codes.length).toBeGreaterThan(5);
  for (const code of codes) expect(readme).toContain(`\`${code}\``);
});
