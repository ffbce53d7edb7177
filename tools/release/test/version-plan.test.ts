import { describe, expect, it } from 'vitest';
import { changesetText, differences, expectedVersions, subjectOf, versionsOf } from '../src/version-plan.js';
import { dependent, LINK } from './manifests.js';

const MANIFESTS = [
  LINK,
  dependent('arp', 'link'),
  dependent('stack', 'link', 'arp'),
  dependent('heartbeat', 'link'),
  dependent('core', 'link', 'arp', 'stack', 'heartbeat'),
];

describe('versions', () => {
  it('are tried on a package that some need and others do not', () => {
    expect(subjectOf(MANIFESTS)).toBe('@rfsis/arp');
    expect(subjectOf([LINK, dependent('arp', 'link')])).toBeUndefined();
  });

  it('a patch bumps its package alone', () => {
    const expected = expectedVersions(MANIFESTS, '@rfsis/arp', 'patch');
    expect(Object.fromEntries(expected)).toEqual({
      '@rfsis/link': '0.1.0',
      '@rfsis/arp': '0.1.1',
      '@rfsis/stack': '0.1.0',
      '@rfsis/heartbeat': '0.1.0',
      '@rfsis/core': '0.1.0',
    });
  });

  it('a major version gives a patch to those that depend on it', () => {
    const expected = expectedVersions(MANIFESTS, '@rfsis/arp', 'major');
    expect(Object.fromEntries(expected)).toEqual({
      '@rfsis/link': '0.1.0',
      '@rfsis/arp': '1.0.0',
      '@rfsis/stack': '0.1.1',
      '@rfsis/heartbeat': '0.1.0',
      '@rfsis/core': '0.1.1',
    });
  });

  it('differences name the package and both versions', () => {
    const before = versionsOf(MANIFESTS);
    expect(differences(before, before)).toEqual([]);
    expect(differences(before, expectedVersions(MANIFESTS, '@rfsis/arp', 'patch'))).toEqual([
      '@rfsis/arp is 0.1.0, expected 0.1.1',
    ]);
    expect(differences(new Map(), new Map([['@rfsis/link', '1.0.0']]))).toEqual([
      '@rfsis/link is missing, expected 1.0.0',
    ]);
  });
});

it('a changeset names its package and kind', () => {
  expect(changesetText('@rfsis/arp', 'major')).toMatch(/^---\n'@rfsis\/arp': major\n---\n\n.+\n$/);
});
