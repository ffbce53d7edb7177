// Publishes all packages for the first time, and looks at what arrived.
import { lastLines } from './command-runner.js';
import type { Findings } from './findings.js';
import type { Registry } from './registry.js';
import type { ReleaseCopy } from './release-copy.js';
import { versionsOf, type Versions } from './version-plan.js';

const WORKSPACE = 'workspace';

/** @returns whether all packages are in the registry now */
export async function checkPublished(
  copy: ReleaseCopy,
  registry: Registry,
  findings: Findings,
): Promise<boolean> {
  const status = await copy.status();
  if (!status.ok) findings.add(WORKSPACE, `changeset status fails:\n${lastLines(status.output)}`);
  const result = await copy.publish(registry);
  if (!result.ok) findings.add(WORKSPACE, `changeset publish fails:\n${lastLines(result.output, 40)}`);
  const versions = versionsOf(await copy.manifests());
  const problems = await releaseProblems(copy, registry, versions, new Map());
  if (!findings.addAll(WORKSPACE, problems) || !result.ok) return false;
  findings.say(`changeset publish: ${[...versions.keys()].join(', ')}`);
  return true;
}

/**
 * What the registry and the tags show that should not be so after `changeset publish`.
 * @param former the versions that were published before
 */
export async function releaseProblems(
  copy: ReleaseCopy,
  registry: Registry,
  versions: Versions,
  former: Versions,
): Promise<readonly string[]> {
  const problems: string[] = [];
  const tags = await copy.tags();
  for (const [name, version] of versions) {
    const expected = [...new Set([former.get(name) ?? version, version])].sort();
    const entry = await registry.entry(name);
    const published = Object.keys(entry?.versions ?? {}).sort();
    if (published.join(' ') !== expected.join(' ')) {
      problems.push(
        `the registry has ${name} ${published.join(', ') || 'not at all'}, expected ${expected.join(', ')}`,
      );
    } else if (entry?.['dist-tags']['latest'] !== version) {
      problems.push(`the latest ${name} is ${entry?.['dist-tags']['latest'] ?? 'none'}, expected ${version}`);
    }
    if (!tags.has(`${name}@${version}`)) problems.push(`changeset publish made no tag ${name}@${version}`);
  }
  return problems;
}
