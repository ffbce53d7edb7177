import { describe, expect, it } from 'vitest';
import { packedFileProblems } from '../src/packed-files.js';
import { packedOf } from '../src/tarball-check.js';
import { LINK } from './manifests.js';

const SOURCES = ['index.ts', 'compliance.ts', 'checksum/table.json', 'ambient.d.ts'];
const COMPLETE = [
  'LICENSE',
  'README.md',
  'package.json',
  'link.schema.json',
  'dist/index.js',
  'dist/index.d.ts',
  'dist/compliance.js',
  'dist/compliance.d.ts',
  'dist/checksum/table.json',
];

const packed = (paths: readonly string[]): { path: string; size: number }[] =>
  paths.map((path) => ({ path, size: 1 }));

describe('the files of a tarball', () => {
  it('are compiled sources, types, licence, README, manifest and declared extras', () => {
    expect(packedFileProblems(packed(COMPLETE), LINK, SOURCES)).toEqual([]);
  });

  it.each([
    'dist/index.js.map',
    'dist/tsconfig.lib.tsbuildinfo',
    'src/index.ts',
    'test/index.test.ts',
    'vitest.config.ts',
    'CHANGELOG.md',
  ])('do not include %s', (path) => {
    expect(packedFileProblems(packed([...COMPLETE, path]), LINK, SOURCES)).toEqual([
      `${path} is in the tarball, but users do not need it: leave it out by "files"`,
    ]);
  });

  it('do not include what an earlier build left', () => {
    const [problem] = packedFileProblems(packed([...COMPLETE, 'dist/former.js']), LINK, SOURCES);
    expect(problem).toContain('delete dist and build again');
  });

  it.each(['LICENSE', 'README.md', 'dist/compliance.d.ts', 'dist/checksum/table.json'])(
    'do include %s',
    (path) => {
      const rest = COMPLETE.filter((each) => each !== path);
      expect(packedFileProblems(packed(rest), LINK, SOURCES)).toEqual([`${path} is not in the tarball`]);
    },
  );

  it('do include programs', () => {
    const manifest = { ...LINK, bin: { rfsis: 'bin/rfsis.js' } };
    expect(packedFileProblems(packed(COMPLETE), manifest, SOURCES)).toEqual([
      'bin/rfsis.js is not in the tarball',
    ]);
    expect(packedFileProblems(packed([...COMPLETE, 'bin/rfsis.js']), manifest, SOURCES)).toEqual([]);
  });

  it('that have the same problem are told in one line', () => {
    const maps = ['dist/index.js.map', 'dist/index.d.ts.map', 'dist/compliance.js.map'];
    const problems = packedFileProblems(packed([...COMPLETE, ...maps]), LINK, SOURCES);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('dist/index.js.map (and 2 like it) is in the tarball');
  });

  it('are not empty', () => {
    const files = packed(COMPLETE).map((file) => (file.path === 'README.md' ? { ...file, size: 0 } : file));
    expect(packedFileProblems(files, LINK, SOURCES)).toEqual(['README.md is in the tarball, but empty']);
  });
});

it('what npm pack prints is read in both of its forms', () => {
  const one = { filename: 'rfsis-link-0.1.0.tgz', size: 1, unpackedSize: 2, files: [] };
  expect(packedOf(JSON.stringify([one]))).toEqual(one);
  expect(packedOf(JSON.stringify({ '@rfsis/link': one }))).toEqual(one);
});
