// A release, from versions to published packages, done in a copy of the workspace with the real programs.
import { appendFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandResult, CommandRunner } from './command-runner.js';
import type { PackageManifest } from './package-manifest.js';
import { SCOPE, type Registry } from './registry.js';
import { changesetText, type VersionKind } from './version-plan.js';
import { copyWorkspace, installedProgram, readPackages, type WorkspacePackage } from './workspace.js';

const PUBLISH_LIMIT_MS = 120_000;
const COMMAND_LIMIT_MS = 60_000;

/** Git that neither reads the settings of this user nor needs any. */
const GIT_ENVIRONMENT = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'release check',
  GIT_AUTHOR_EMAIL: 'release-check@localhost',
  GIT_COMMITTER_NAME: 'release check',
  GIT_COMMITTER_EMAIL: 'release-check@localhost',
};

/** A copy of the workspace, in a git repository of its own, from which one can publish to a registry on loopback. */
export class ReleaseCopy {
  readonly #root: string;
  readonly #folder: string;
  readonly #runner: CommandRunner;

  /**
   * @param root the workspace
   * @param folder where the copy goes
   */
  constructor(root: string, folder: string, runner: CommandRunner) {
    this.#root = root;
    this.#folder = folder;
    this.#runner = runner;
  }

  /** Makes the copy, with one commit on the branch main. */
  async make(): Promise<CommandResult> {
    await copyWorkspace(this.#root, this.#folder);
    const initialised = await this.#git(['init', '--quiet', '--initial-branch=main']);
    return initialised.ok ? this.#commit() : initialised;
  }

  /** The packages as they are in the copy. */
  async packages(): Promise<readonly WorkspacePackage[]> {
    return readPackages(this.#folder);
  }

  async manifests(): Promise<readonly PackageManifest[]> {
    return (await this.packages()).map(({ manifest }) => manifest);
  }

  /** `changeset status`: do the pending changesets make sense? */
  async status(): Promise<CommandResult> {
    return this.#changeset(['status']);
  }

  /** `changeset publish` to `registry`. */
  async publish(registry: Registry): Promise<CommandResult> {
    await appendFile(join(this.#folder, '.npmrc'), registry.publisherSettings);
    return this.#changeset(['publish'], {
      // Twice, by environment as well: nothing may ever go to another registry from here.
      [`npm_config_${SCOPE}:registry`]: registry.url,
      npm_config_registry: registry.url,
    });
  }

  /** `changeset version` with one changeset for `subject` instead of those that are pending. */
  async versionFor(subject: string, kind: VersionKind): Promise<CommandResult> {
    const folder = join(this.#folder, '.changeset');
    for (const name of await readdir(folder)) {
      if (name.endsWith('.md') && name !== 'README.md') await rm(join(folder, name));
    }
    await writeFile(join(folder, 'release-check.md'), changesetText(subject, kind));
    const committed = await this.#commit();
    return committed.ok ? this.#changeset(['version']) : committed;
  }

  /** The tags that publishing made: `name@version`. */
  async tags(): Promise<ReadonlySet<string>> {
    const { stdout } = await this.#git(['tag', '--list']);
    return new Set(stdout.split('\n').filter((tag) => tag !== ''));
  }

  async #commit(): Promise<CommandResult> {
    const added = await this.#git(['add', '--all', '--', '.changeset', ':(glob)packages/*/package.json']);
    return added.ok ? this.#git(['commit', '--quiet', '--allow-empty', '--message', 'release check']) : added;
  }

  async #git(args: readonly string[]): Promise<CommandResult> {
    return this.#runner.run('git', args, {
      cwd: this.#folder,
      limitMs: COMMAND_LIMIT_MS,
      env: GIT_ENVIRONMENT,
    });
  }

  async #changeset(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
    return this.#runner.run(installedProgram(this.#root, 'changeset'), args, {
      cwd: this.#folder,
      limitMs: PUBLISH_LIMIT_MS,
      env: { ...GIT_ENVIRONMENT, ...env },
    });
  }
}
