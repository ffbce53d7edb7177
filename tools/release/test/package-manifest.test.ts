import { expect, it } from 'vitest';
import { declaredPackages, entryFiles, manifestProblems } from '../src/package-manifest.js';
import { dependent, LINK } from './manifests.js';

it('a complete manifest has no problems', () => {
  expect(manifestProblems(LINK, 'link', '>=20.19')).toEqual([]);
});

it.each([
  ['name', { name: '@rfsis/lnk' }],
  ['version', { version: '0.1' }],
  ['description', { description: '' }],
  ['description', { description: 'x'.repeat(201) }],
  ['license', { license: 'ISC' }],
  ['type', { type: 'commonjs' }],
  ['sideEffects', { sideEffects: true }],
  ['keywords', { keywords: ['one', 'two'] }],
  ['keywords', { keywords: ['one', 'two', 'three', 'three'] }],
  ['engines', { engines: { node: '>=18' } }],
  ['exports', { exports: { './package.json': './package.json' } }],
  ['exports', { exports: { '.': './dist/index.js' } }],
  ['publishConfig', { publishConfig: {} }],
  ['scripts', { scripts: { postinstall: 'node x.js' } }],
])('"%s" is looked at: %j', (field, change) => {
  const problems = manifestProblems({ ...LINK, ...change }, 'link', '>=20.19');
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(`"${field}"`);
});

it('the packages that come with a package are itself and all its dependencies', () => {
  const manifest = { ...dependent('arp', 'link'), peerDependencies: { pino: '^10.0.0' } };
  expect([...declaredPackages(manifest)]).toEqual(['@rfsis/arp', '@rfsis/link', 'cap', 'pino']);
});

it('entry files are those of all conditions and programs', () => {
  expect(entryFiles({ ...LINK, bin: { rfsis: './bin/rfsis.js' } })).toEqual([
    'dist/index.d.ts',
    'dist/index.js',
    'dist/compliance.d.ts',
    'dist/compliance.js',
    'package.json',
    'bin/rfsis.js',
  ]);
});
