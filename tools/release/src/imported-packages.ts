// Which packages a piece of TypeScript or JavaScript names, read off its text: enough for formatted code and for READMEs.
import { builtinModules } from 'node:module';

const SPECIFIER =
  /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire(?:\.resolve)?\s*\(\s*)(?<quote>["'])(?<specifier>[^"'\n]+)\k<quote>/g;
const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

/** The packages that `text` imports; neither its own files nor modules of Node.js. */
export function importedPackages(text: string): readonly string[] {
  const specifiers = [...text.replace(COMMENT, '').matchAll(SPECIFIER)].map(
    ({ groups }) => groups?.['specifier'] ?? '',
  );
  return [...new Set(specifiers.filter(isPackage).map(packageOf))].sort();
}

function isPackage(specifier: string): boolean {
  return !/^(?:[./#]|node:)/.test(specifier) && !builtinModules.includes(specifier);
}

/** `@scope/name` of `@scope/name/entry`, `name` of `name/entry`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
