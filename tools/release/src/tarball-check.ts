// Looks at the tarball of a package before anybody installs it: its manifest, its files, publint and arethetypeswrong.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lastLines, type CommandRunner } from './command-runner.js';
import type { Findings } from './findings.js';
import { importedPackages } from './imported-packages.js';
import { declaredPackages, manifestProblems } from './package-manifest.js';
import { packedFileProblems, type PackedPackage } from './packed-files.js';
import { readmeProblems } from './readme-example.js';
import { filesBelow, installedProgram, type WorkspacePackage } from './workspace.js';

const LIMIT_MS = 60_000;

/** What {@link checkTarball} needs besides the package. */
export interface TarballCheck {
  /** The workspace, for the programs that are installed in it. */
  readonly root: string;
  /** Where the tarballs go. */
  readonly folder: string;
  /** What the workspace demands of Node.js. */
  readonly nodeRange: string | undefined;
  readonly runner: CommandRunner;
  readonly findings: Findings;
}

/** @returns what was packed; undefined when it could not be packed */
export async function checkTarball(
  each: WorkspacePackage,
  check: TarballCheck,
): Promise<PackedPackage | undefined> {
  const { root, runner, findings } = check;
  const { name } = each.manifest;
  findings.addAll(name, manifestProblems(each.manifest, each.folder, check.nodeRange));
  const packed = await pack(each, check);
  if (packed === undefined) return undefined;
  findings.addAll(
    name,
    packedFileProblems(packed.files, each.manifest, await filesBelow(join(each.path, 'src'))),
  );
  findings.addAll(name, await importProblems(each, packed));
  const readme = packed.files.some(({ path }) => path === 'README.md');
  if (readme)
    findings.addAll(name, readmeProblems(await readFile(join(each.path, 'README.md'), 'utf8'), name));
  const tarball = join(check.folder, each.folder, packed.filename);
  const linters = [
    ['publint', 'run', tarball, '--strict'],
    ['attw', tarball, '--profile', 'esm-only'],
  ] as const;
  for (const [program, ...args] of linters) {
    const result = await runner.run(installedProgram(root, program), args, {
      cwd: check.folder,
      limitMs: LIMIT_MS,
    });
    if (!result.ok) findings.add(name, `${program} says:\n${lastLines(result.output, 40)}`);
  }
  return packed;
}

async function pack(each: WorkspacePackage, check: TarballCheck): Promise<PackedPackage | undefined> {
  const destination = join(check.folder, each.folder);
  await mkdir(destination, { recursive: true });
  // So that npm does not take the folder for a part of something bigger.
  await writeFile(join(check.folder, 'package.json'), '{}');
  const args = ['pack', each.path, '--json', '--ignore-scripts', '--pack-destination', destination];
  const result = await check.runner.run('npm', args, { cwd: check.folder, limitMs: LIMIT_MS });
  if (!result.ok) {
    check.findings.add(each.manifest.name, `npm pack fails:\n${lastLines(result.output)}`);
    return undefined;
  }
  return packedOf(result.stdout);
}

/** Reads what `npm pack --json` prints: a list, or from npm 12 on an object by package name. */
export function packedOf(json: string): PackedPackage | undefined {
  const parsed = JSON.parse(json) as readonly PackedPackage[] | Readonly<Record<string, PackedPackage>>;
  return Object.values(parsed)[0];
}

/** Packages that what is published imports, types included, and that nobody would install. */
async function importProblems(each: WorkspacePackage, packed: PackedPackage): Promise<readonly string[]> {
  const declared = declaredPackages(each.manifest);
  const code = packed.files.filter(({ path }) => /\.(?:js|d\.ts)$/.test(path));
  const problems = await Promise.all(
    code.map(async ({ path }) => {
      const imported = importedPackages(await readFile(join(each.path, path), 'utf8'));
      return imported
        .filter((other) => !declared.has(other))
        .map((other) => `${path} imports ${other}, which is not among the dependencies`);
    }),
  );
  return problems.flat();
}
