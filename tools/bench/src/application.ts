// The applications that are measured: built before, started as processes of their own.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BenchError } from './errors.js';

/**
 * The built main file of an application, relative to the workspace.
 * @throws {BenchError} `RFSIS_BENCH_UNAVAILABLE` when it was not built
 */
export function builtApplication(name: string): string {
  const file = `apps/${name}/dist/main.js`;
  if (!existsSync(inWorkspace(file))) {
    throw new BenchError('RFSIS_BENCH_UNAVAILABLE', `${file} is missing: run npx nx run ${name}:build`);
  }
  return file;
}

/** The version of a package of this workspace. */
export function packageVersion(name: string): string {
  const text = readFileSync(inWorkspace(`packages/${name}/package.json`), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

/** From sources and from the build alike. */
function inWorkspace(file: string): string {
  return fileURLToPath(new URL(`../../../${file}`, import.meta.url));
}
