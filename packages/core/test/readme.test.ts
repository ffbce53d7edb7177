import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { configurationSchema } from '../src/config/schema.js';

const folder = join(import.meta.dirname, '..');
const readme = readFileSync(join(folder, 'README.md'), 'utf8');

afterEach(() => {
  vi.restoreAllMocks();
});

/** The rows of the table below a heading: the texts of their cells. */
function tableBelow(heading: string): string[][] {
  const [, section = ''] = readme.split(`\n## ${heading}\n`);
  const rows =
    section
      .split('\n## ', 1)[0]
      ?.split('\n')
      .filter((line) => line.startsWith('|')) ?? [];
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function sources(directory = join(folder, 'src')): string {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
}

interface Schema {
  readonly description?: string;
  readonly default?: string | number | boolean | object;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** The dotted names of all keys with their defaults. */
function keysOf({ properties = {} }: Schema, path = ''): [string, Schema['default']][] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const key = `${path}${name}`;
    return schema.properties === undefined
      ? [[key, schema.default] as [string, Schema['default']]]
      : keysOf(schema, `${key}.`);
  });
}

describe('the README', () => {
  it('has an example that runs as it stands there', async () => {
    const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
    const file = join(folder, 'out-tsc/readme-example.ts');
    mkdirSync(join(folder, 'out-tsc'), { recursive: true });
    writeFileSync(file, example);
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await import(pathToFileURL(file).href);
    expect(log.mock.calls).toEqual([['the backup serves 10.77.0.10 in epoch 2']]);
  }, 30_000);

  it('explains every key of the configuration, with its default', () => {
    const table = new Map(tableBelow('Configuration').map(([key = '', value = '']) => [key, value]));
    const { required } = configurationSchema;
    for (const [key, byDefault] of keysOf(configurationSchema)) {
      if (key === '$schema') continue;
      const told = table.get(`\`${key}\``);
      expect(told, `${key} is in the table`).toBeDefined();
      if (required.some((each) => each === key)) expect(told).toBe('required');
      else if (byDefault !== undefined)
        expect(told).toBe(`\`${JSON.stringify(byDefault).replaceAll('"', '')}\``);
      table.delete(`\`${key}\``);
    }
    expect([...table.keys()]).toEqual([]);
  });

  it('explains every event of the log, and no others', () => {
    const told = tableBelow('Log').map(([event = '']) => event.replaceAll('`', ''));
    const logged = new Set([...sources().matchAll(/event: '([a-z-]+)'/g)].map(([, event]) => event));
    expect([...logged].sort()).toEqual(told.sort());
  });

  it('names every code of an error, and every path of the control socket', () => {
    const codes = sources().match(/RFSIS_[A-Z_]+/g) ?? [];
    for (const code of new Set(codes)) expect(readme).toContain(`\`${code}\``);
    expect(tableBelow('Control').map(([request]) => request)).toEqual([
      '`GET /status`',
      '`GET /metrics`',
      '`POST /handover`',
    ]);
  });
});
