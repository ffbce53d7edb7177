// Tries new versions: a changeset for one package must bump that package, those that need it, and nothing else.
import { lastLines } from './command-runner.js';
import type { Findings } from './findings.js';
import { releaseProblems } from './published-check.js';
import type { Registry } from './registry.js';
import type { ReleaseCopy } from './release-copy.js';
import { differences, expectedVersions, subjectOf, versionsOf, type VersionKind } from './version-plan.js';

const WORKSPACE = 'workspace';

/** Makes a patch and a major version of one package in the copy, and publishes what changed. */
export async function checkVersions(
  copy: ReleaseCopy,
  registry: Registry,
  findings: Findings,
): Promise<void> {
  const first = await copy.manifests();
  const subject = subjectOf(first);
  if (subject === undefined) return;
  for (const kind of ['patch', 'major'] as const) {
    if (!(await bumpsOnlyWhatChanged(copy, subject, kind, findings))) return;
  }
  const result = await copy.publish(registry);
  if (!result.ok) {
    findings.add(WORKSPACE, `the second changeset publish fails:\n${lastLines(result.output, 40)}`);
    return;
  }
  const versions = versionsOf(await copy.manifests());
  if (
    findings.addAll(WORKSPACE, await releaseProblems(copy, registry, versions, versionsOf(first))) &&
    findings.addAll(WORKSPACE, await staleRanges(copy, subject))
  ) {
    findings.say(`changeset publish: published only what got a new version`);
  }
}

async function bumpsOnlyWhatChanged(
  copy: ReleaseCopy,
  subject: string,
  kind: VersionKind,
  findings: Findings,
): Promise<boolean> {
  const before = await copy.manifests();
  const result = await copy.versionFor(subject, kind);
  if (!result.ok) {
    findings.add(WORKSPACE, `changeset version fails:\n${lastLines(result.output)}`);
    return false;
  }
  const after = versionsOf(await copy.manifests());
  const wrong = differences(after, expectedVersions(before, subject, kind));
  if (wrong.length > 0) {
    findings.add(WORKSPACE, `a ${kind} changeset for ${subject}: ${wrong.join('; ')}`);
    return false;
  }
  const bumped = differences(after, versionsOf(before)).length;
  findings.say(`changeset version: a ${kind} of ${subject} bumps ${bumped} of ${after.size} packages`);
  return true;
}

/** Packages that still ask for the former version of `subject`. */
async function staleRanges(copy: ReleaseCopy, subject: string): Promise<readonly string[]> {
  const manifests = await copy.manifests();
  const version = versionsOf(manifests).get(subject) ?? '';
  return manifests.flatMap(({ name, dependencies }) => {
    const range = dependencies?.[subject];
    return range === undefined || range === `^${version}`
      ? []
      : [`${name} asks for ${subject} ${range} although its version is ${version} now`];
  });
}
