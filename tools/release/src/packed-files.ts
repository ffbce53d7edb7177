// What may lie in the tarball of a package: compiled sources with their types, licence, README, manifest and declared extras.
import { entryFiles, type PackageManifest } from './package-manifest.js';

/** A file in a tarball, as `npm pack --json` tells it. */
export interface PackedFile {
  readonly path: string;
  readonly size: number;
}

/** A tarball, as `npm pack --json` tells it. */
export interface PackedPackage {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly PackedFile[];
}

/** What the compiler makes; when it has no source, an earlier build left it. */
const COMPILED = /^dist\/.*\.(?:js|d\.ts|json)$/;
const ALWAYS = ['LICENSE', 'README.md', 'package.json'];

/**
 * What is in a tarball that should not be, and what is missing.
 * @param sources the files below `src`, relative to it: a compiled file without its source is left from an earlier build
 */
export function packedFileProblems(
  packed: readonly PackedFile[],
  manifest: PackageManifest,
  sources: readonly string[],
): readonly string[] {
  const present = new Set(packed.map(({ path }) => path));
  const needed = new Set([...ALWAYS, ...entryFiles(manifest), ...sources.flatMap(compiledFiles)]);
  const allowed = new Set([...needed, ...declaredExtras(manifest)]);
  const unexpected = [...present].filter((path) => !allowed.has(path));
  const missing = [...needed].filter((path) => !present.has(path));
  const empty = packed.filter(({ size }) => size === 0).map(({ path }) => path);
  const stale = unexpected.filter((path) => COMPILED.test(path));
  const needless = unexpected.filter((path) => !COMPILED.test(path));
  return [
    ...problem(needless, 'is in the tarball, but users do not need it: leave it out by "files"'),
    ...problem(stale, 'is in the tarball, left from an earlier build: delete dist and build again'),
    ...problem(missing, 'is not in the tarball'),
    ...problem(empty, 'is in the tarball, but empty'),
  ];
}

/** One line for all files with the same problem. */
function problem(paths: readonly string[], what: string): readonly string[] {
  const [first, ...others] = paths;
  if (first === undefined) return [];
  return [`${first}${others.length === 0 ? '' : ` (and ${others.length} like it)`} ${what}`];
}

/** The files that the compiler makes of a source. */
function compiledFiles(source: string): readonly string[] {
  if (source.endsWith('.json')) return [`dist/${source}`];
  if (!source.endsWith('.ts') || source.endsWith('.d.ts')) return [];
  const stem = `dist/${source.slice(0, -'.ts'.length)}`;
  return [`${stem}.js`, `${stem}.d.ts`];
}

/** Single files that `files` names besides `dist`. */
function declaredExtras(manifest: PackageManifest): readonly string[] {
  return (manifest.files ?? []).filter((entry) => !entry.startsWith('!') && entry !== 'dist');
}
