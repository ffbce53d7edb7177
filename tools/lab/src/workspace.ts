// Where files of this workspace are, from sources and from the build alike.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top folder of the workspace. */
export function workspaceFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'nx.json'))) {
    const parent = dirname(folder);
    if (parent === folder) return process.cwd();
    folder = parent;
  }
  return folder;
}

/** A Python program of `tools/lab/clients`. */
export function clientFile(name: string): string {
  return fileURLToPath(new URL(`../clients/${name}`, import.meta.url));
}
