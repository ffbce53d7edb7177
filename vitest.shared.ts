// One vitest configuration for every project: sources instead of builds, coverage by V8.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const packagesDirectory = join(import.meta.dirname, 'packages');
const toolsDirectory = join(import.meta.dirname, 'tools');

/** Maps `@rfsis/<name>` and `@rfsis/<name>/<entry>` to their sources, so that tests need no build. */
const sourceAliases = [
  ...readdirSync(packagesDirectory).flatMap((name) => [
    { find: new RegExp(`^@rfsis/${name}$`), replacement: join(packagesDirectory, name, 'src/index.ts') },
    {
      find: new RegExp(`^@rfsis/${name}/([a-z-]+)$`),
      replacement: join(packagesDirectory, name, 'src/$1.ts'),
    },
  ]),
  ...readdirSync(toolsDirectory).map((name) => ({
    find: new RegExp(`^@rfsis/tool-${name}$`),
    replacement: join(toolsDirectory, name, 'src/index.ts'),
  })),
];

/** Tests of a published package: with coverage and its thresholds. */
export function packageTests(directory: string): ViteUserConfig {
  return defineConfig({
    root: directory,
    resolve: { alias: sourceAliases },
    test: {
      name: basename(directory),
      include: ['test/**/*.test.ts'],
      coverage: {
        enabled: true,
        provider: 'v8',
        include: ['src/**/*.ts'],
        reporter: ['text-summary', 'json-summary'],
        thresholds: { statements: 90, branches: 80, functions: 90, lines: 90 },
      },
    },
  });
}

/** Tests of a tool or an application: no coverage thresholds. */
export function toolTests(directory: string): ViteUserConfig {
  return defineConfig({
    root: directory,
    resolve: { alias: sourceAliases },
    test: { name: basename(directory), include: ['test/**/*.test.ts'] },
  });
}

/** Tests in the network lab: real processes, one file after the other, with time to start them. */
export function labTests(directory: string): ViteUserConfig {
  return defineConfig({
    root: directory,
    resolve: { alias: sourceAliases },
    test: {
      name: basename(directory),
      include: ['test/**/*.test.ts'],
      fileParallelism: false,
      testTimeout: 60_000,
      hookTimeout: 60_000,
    },
  });
}
