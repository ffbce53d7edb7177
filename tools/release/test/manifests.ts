// Manifests for tests.
import type { PackageManifest } from '../src/package-manifest.js';

export const LINK: PackageManifest = {
  name: '@rfsis/link',
  version: '0.1.0',
  description: 'Frames in and out',
  license: 'MIT',
  type: 'module',
  sideEffects: false,
  keywords: ['rfsis', 'network', 'link'],
  engines: { node: '>=20.19' },
  exports: {
    '.': { types: './dist/index.d.ts', default: './dist/index.js' },
    './compliance': { types: './dist/compliance.d.ts', default: './dist/compliance.js' },
    './package.json': './package.json',
  },
  files: ['dist', 'link.schema.json', '!dist/**/*.map'],
  publishConfig: { access: 'public', provenance: true },
  scripts: { test: 'vitest run' },
  optionalDependencies: { cap: '^0.2.1' },
};

/** A package that depends on others of ours. */
export function dependent(name: string, ...dependencies: readonly string[]): PackageManifest {
  return {
    ...LINK,
    name: `@rfsis/${name}`,
    dependencies: Object.fromEntries(dependencies.map((other) => [`@rfsis/${other}`, '^0.1.0'])),
  };
}
