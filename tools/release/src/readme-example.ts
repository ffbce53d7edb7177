// The example of a README: its first fenced block of TypeScript, and what the README tells the reader to install for it.
import { importedPackages } from './imported-packages.js';

/** @returns undefined when there is none */
export function readmeExample(readme: string): string | undefined {
  return /^```ts\n(?<code>[\s\S]*?)^```$/m.exec(readme)?.groups?.['code'];
}

/** The packages of the first `npm install` of a README. */
export function installedPackages(readme: string): readonly string[] {
  const line = /^(?:\$ )?npm (?:install|i) (?<words>.+)$/m.exec(readme)?.groups?.['words'] ?? '';
  return line.split(/\s+/).filter((word) => word !== '' && !word.startsWith('-'));
}

/** What a reader who follows the README of the package `name` would stumble over. */
export function readmeProblems(readme: string, name: string): readonly string[] {
  const example = readmeExample(readme);
  if (example === undefined) return ['README.md has no example: a fenced block of ts'];
  const installed = installedPackages(readme);
  if (!installed.includes(name)) return [`README.md does not say: npm install ${name}`];
  return importedPackages(example)
    .filter((imported) => !installed.includes(imported))
    .map(
      (imported) =>
        `README.md says "npm install ${installed.join(' ')}", but its example imports ${imported} as well: ` +
        'package managers other than npm do not let it',
    );
}
