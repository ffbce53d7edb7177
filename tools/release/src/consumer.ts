// A user of one package: an empty project, the package installed alone, its README's example compiled and run, all its entry
// points imported.
import { lstat, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lastLines, type CommandResult, type CommandRunner } from './command-runner.js';
import { entryPointsProgram } from './entry-points.js';
import type { PackageManifest } from './package-manifest.js';
import { readmeExample } from './readme-example.js';
import { SCOPE, type Registry } from './registry.js';
import { installedProgram } from './workspace.js';

/** With a native module to compile, on a slow machine. */
const INSTALL_LIMIT_MS = 180_000;
const COMPILE_LIMIT_MS = 60_000;
/** An example has to end by itself. */
const RUN_LIMIT_MS = 20_000;
const COMPILED = 'compiled';

/** What a {@link Consumer} needs. */
export interface ConsumerOptions {
  /** The project; it is made. */
  readonly folder: string;
  /** The workspace, for its compiler and the types of Node.js. */
  readonly root: string;
  /** npm keeps what it downloads here. */
  readonly cache: string;
  readonly registry: Registry;
  readonly runner: CommandRunner;
}

/** An empty project that uses one package. Its methods return what is wrong. */
export class Consumer {
  readonly #name: string;
  readonly #options: ConsumerOptions;

  /** @param name of the package */
  constructor(name: string, options: ConsumerOptions) {
    this.#name = name;
    this.#options = options;
  }

  /** Installs the package, and nothing that it does not bring with it. */
  async install(flags: readonly string[] = []): Promise<readonly string[]> {
    const { folder, cache, registry } = this.#options;
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'consumer', private: true, type: 'module' }),
    );
    await writeFile(join(folder, '.npmrc'), registry.readerSettings);
    const args = ['install', this.#name, '--no-audit', '--no-fund', '--cache', cache, ...flags];
    const result = await this.#run('npm', args, INSTALL_LIMIT_MS);
    return result.ok ? this.#foreignPackages() : [failure(`npm install ${this.#name}`, result)];
  }

  /** Compiles and runs the example of the README and a program that imports everything there is. */
  async use(): Promise<readonly string[]> {
    const { folder, root } = this.#options;
    const manifest = await this.#manifest();
    const readme = await readFile(join(this.#installed, 'README.md'), 'utf8').catch(() => '');
    const example = readmeExample(readme);
    await writeFile(join(folder, 'entries.ts'), entryPointsProgram(manifest));
    await writeFile(join(folder, 'example.ts'), example ?? 'export {};\n');
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
    const language = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--resolveJsonModule'];
    const output = ['--outDir', COMPILED, '--noEmitOnError'];
    const compiled = await this.#run(
      installedProgram(root, 'tsc'),
      ['entries.ts', 'example.ts', ...language, ...types, ...output],
      COMPILE_LIMIT_MS,
    );
    if (!compiled.ok) return [failure('tsc, on entry points and README example,', compiled)];
    const runs = [
      { what: 'a program that imports all entry points', ...(await this.#node('entries.js')) },
      { what: 'the example of README.md', ...(await this.#node('example.js')) },
    ];
    const problems = runs.filter(({ ok }) => !ok).map((run) => failure(run.what, run));
    if (example === undefined) {
      problems.push('installed alone: there is no example in its README.md to run');
    } else if (problems.length === 0 && runs[1]?.stdout.trim() === '') {
      problems.push('the example of README.md prints nothing: its reader cannot see that it works');
    }
    return problems;
  }

  /** Asks each program that the package brings for help. */
  async askForHelp(): Promise<readonly string[]> {
    const problems: string[] = [];
    for (const program of Object.keys((await this.#manifest()).bin ?? {})) {
      const file = installedProgram(this.#options.folder, program);
      const result = await this.#run(file, ['--help'], RUN_LIMIT_MS);
      if (!result.ok || !result.stdout.includes(program)) problems.push(failure(`${program} --help`, result));
    }
    return problems;
  }

  /** Runs a program of JavaScript modules in the project. */
  async runProgram(name: string, code: string): Promise<CommandResult> {
    await writeFile(join(this.#options.folder, name), code);
    return this.#run(process.execPath, [name], RUN_LIMIT_MS);
  }

  get #installed(): string {
    return join(this.#options.folder, 'node_modules', this.#name);
  }

  async #manifest(): Promise<PackageManifest> {
    return JSON.parse(await readFile(join(this.#installed, 'package.json'), 'utf8')) as PackageManifest;
  }

  /** Packages of ours that were linked from the workspace instead of installed: then nothing would be proved. */
  async #foreignPackages(): Promise<readonly string[]> {
    const scope = join(this.#options.folder, 'node_modules', SCOPE);
    const problems: string[] = [];
    for (const name of await readdir(scope)) {
      if (!(await lstat(join(scope, name))).isDirectory())
        problems.push(`${SCOPE}/${name} was not installed`);
    }
    return problems;
  }

  async #node(program: string): Promise<CommandResult> {
    return this.#run(process.execPath, [join(COMPILED, program)], RUN_LIMIT_MS);
  }

  async #run(program: string, args: readonly string[], limitMs: number): Promise<CommandResult> {
    return this.#options.runner.run(program, args, { cwd: this.#options.folder, limitMs });
  }
}

function failure(what: string, result: CommandResult): string {
  return `installed alone: ${what} fails:\n${lastLines(result.output)}`;
}
