// A program that imports every entry point of a package, as a user would.
import type { PackageManifest } from './package-manifest.js';

/** The specifiers under which a package can be imported. */
export function entrySpecifiers(manifest: PackageManifest): readonly string[] {
  return Object.keys(manifest.exports ?? {}).map((entry) => manifest.name + entry.slice(1));
}

/**
 * TypeScript that imports everything the manifest exports, does not compile when a type is missing or is `any`, and fails
 * when an entry point exports nothing.
 */
export function entryPointsProgram(manifest: PackageManifest): string {
  const specifiers = entrySpecifiers(manifest);
  const imports = specifiers.map((specifier, index) =>
    specifier.endsWith('.json')
      ? `import entry${index} from '${specifier}' with { type: 'json' };`
      : `import * as entry${index} from '${specifier}';`,
  );
  const checks = specifiers.map(
    (specifier, index) => `check<IsAny<typeof entry${index}>>(entry${index}, '${specifier}', false);`,
  );
  return `${imports.join('\n')}

type IsAny<T> = 0 extends 1 & T ? true : false;
function check<Any extends boolean>(entry: object, specifier: string, _isAny: Any): void {
  if (Object.keys(entry).length === 0) throw new Error(\`\${specifier} exports nothing\`);
}
${checks.join('\n')}
`;
}
