// What versions must become: packages have versions of their own, and a new one carries along only those that need it.
import type { PackageManifest } from './package-manifest.js';

/** The kinds of version that the check tries. */
export type VersionKind = 'patch' | 'major';

/** Versions by package name. */
export type Versions = ReadonlyMap<string, string>;

export function versionsOf(manifests: readonly PackageManifest[]): Versions {
  return new Map(manifests.map(({ name, version }) => [name, version]));
}

/**
 * The package to try new versions on: one that some packages depend on and others do not.
 * @returns undefined when there is none
 */
export function subjectOf(manifests: readonly PackageManifest[]): string | undefined {
  const others = manifests.length - 1;
  return manifests.find(({ name }) => {
    const dependents = dependentsOf(manifests, name).length;
    return dependents > 0 && dependents < others;
  })?.name;
}

/**
 * The versions after one changeset for `subject`. A patch stays within the ranges of those that depend on it, who keep
 * their versions; a major version leaves them, so they get a patch each.
 */
export function expectedVersions(
  manifests: readonly PackageManifest[],
  subject: string,
  kind: VersionKind,
): Versions {
  const carried = kind === 'major' ? dependentsOf(manifests, subject) : [];
  return new Map(
    manifests.map(({ name, version }) => {
      if (name === subject) return [name, bumped(version, kind)];
      return [name, carried.includes(name) ? bumped(version, 'patch') : version];
    }),
  );
}

/** A changeset as `npx changeset` writes it. */
export function changesetText(subject: string, kind: VersionKind): string {
  return `---\n'${subject}': ${kind}\n---\n\nA change to try versions on.\n`;
}

/** `name: version, ...` of what differs; empty when nothing does. */
export function differences(actual: Versions, expected: Versions): readonly string[] {
  return [...expected]
    .filter(([name, version]) => actual.get(name) !== version)
    .map(([name, version]) => `${name} is ${actual.get(name) ?? 'missing'}, expected ${version}`);
}

function dependentsOf(manifests: readonly PackageManifest[], name: string): readonly string[] {
  return manifests
    .filter(({ dependencies }) => dependencies?.[name] !== undefined)
    .map((manifest) => manifest.name);
}

function bumped(version: string, kind: VersionKind): string {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return kind === 'major' ? `${major + 1}.0.0` : `${major}.${minor}.${patch + 1}`;
}
