// The workspace as it lies on the disk: its packages, and a copy of it in which anything may be changed.
import { cp, mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { PackageManifest } from './package-manifest.js';
import { SetupError } from './setup-error.js';

/** A package to be published. */
export interface WorkspacePackage {
  /** The name of its folder: `link` of `@rfsis/link`. */
  readonly folder: string;
  readonly path: string;
  readonly manifest: PackageManifest;
}

/** Folders that no step of the check needs. */
const NOT_COPIED = new Set(['node_modules', 'coverage', 'out-tsc', '.nx', '.git']);

/** The path of a program that the workspace has installed. */
export function installedProgram(root: string, name: string): string {
  return join(root, 'node_modules/.bin', name);
}

export async function readManifest(folder: string): Promise<PackageManifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as PackageManifest;
}

/**
 * The packages to be published of the workspace at `root`.
 * @throws {SetupError} when there are none
 */
export async function readPackages(root: string): Promise<readonly WorkspacePackage[]> {
  const entries = await readdir(join(root, 'packages'), { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const packages = await Promise.all(
    folders.sort().map(async (folder) => {
      const path = join(root, 'packages', folder);
      return { folder, path, manifest: await readManifest(path) };
    }),
  );
  const published = packages.filter(({ manifest }) => manifest.private !== true);
  if (published.length === 0) throw new SetupError(`${root} has no packages to publish`);
  return published;
}

/** @throws {SetupError} when a package was not built */
export async function requireBuilds(packages: readonly WorkspacePackage[]): Promise<void> {
  for (const { manifest, path } of packages) {
    const built = await stat(join(path, 'dist/index.js')).catch(() => undefined);
    if (built === undefined) {
      throw new SetupError(`${manifest.name} is not built: run npx nx run-many -t build first`);
    }
  }
}

/** The files below `folder`, relative to it, with slashes. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    );
}

/**
 * Copies what releasing needs from `root` to `target`: the packages with what was built, the manifests of everything else,
 * the settings of Changesets. Provenance is off in the copy: it takes an identity that only a CI job has.
 */
export async function copyWorkspace(root: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const file of ['package.json', '.npmrc']) await cp(join(root, file), join(target, file));
  await cp(join(root, '.changeset'), join(target, '.changeset'), { recursive: true });
  await cp(join(root, 'packages'), join(target, 'packages'), {
    recursive: true,
    filter: (source) => !NOT_COPIED.has(basename(source)),
  });
  for (const group of ['apps', 'tools']) {
    for (const file of await manifestsBelow(join(root, group))) {
      const copy = join(target, group, basename(dirname(file)), 'package.json');
      await mkdir(dirname(copy), { recursive: true });
      await cp(file, copy);
    }
  }
  // Changesets looks up its changelog writer from the workspace.
  await symlink(join(root, 'node_modules'), join(target, 'node_modules'), 'dir');
  for (const { path, manifest } of await readPackages(target)) {
    const publishConfig = { ...manifest.publishConfig, provenance: false };
    await writeFile(join(path, 'package.json'), JSON.stringify({ ...manifest, publishConfig }, null, 2));
  }
}

async function manifestsBelow(group: string): Promise<readonly string[]> {
  const entries = await readdir(group, { withFileTypes: true }).catch(() => []);
  const files = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(group, entry.name, 'package.json'));
  const present = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
  return files.filter((_, index) => present[index] !== undefined);
}
