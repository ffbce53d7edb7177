// The check as a whole: tarballs, a release to a registry on loopback, users of each package alone, the versions after that.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandRunner, lastLines } from './command-runner.js';
import { Consumer } from './consumer.js';
import { Findings, type Finding } from './findings.js';
import { eachLimited } from './limited.js';
import type { PackedPackage } from './packed-files.js';
import { Registry } from './registry.js';
import { ReleaseCopy } from './release-copy.js';
import { SetupError } from './setup-error.js';
import { checkTarball } from './tarball-check.js';
import { checkVersions } from './version-check.js';
import { checkPublished } from './published-check.js';
import { checkWithoutCap, LINK } from './without-cap.js';
import { readManifest, requireBuilds, type WorkspacePackage } from './workspace.js';

/** Options of {@link checkRelease}. */
export interface CheckOptions {
  /** The workspace. */
  readonly root: string;
  /** Only these packages are looked at (all are published); folder names; empty: all. */
  readonly only?: readonly string[];
  /** The temporary folder stays, to look at. */
  readonly keep?: boolean;
  /** What still runs after this time is killed and counts as failed; default 10 minutes. */
  readonly limitMs?: number;
  /** Stops the check early; what it made is removed. */
  readonly signal?: AbortSignal;
  /** Takes lines about the progress. */
  readonly say: (line: string) => void;
}

const DEFAULT_LIMIT_MS = 600_000;
/** Packages looked at at once; most of the work is processor time. */
const AT_ONCE = 2;

/**
 * Checks that the packages can be published, installed alone and used. Changes nothing in the workspace; uses loopback,
 * and npm's own registry for packages of others.
 * @returns what is wrong
 * @throws {SetupError} when it cannot run
 */
export async function checkRelease(options: CheckOptions): Promise<readonly Finding[]> {
  const temporary = await mkdtemp(join(tmpdir(), 'rfsis-release-'));
  try {
    using runner = new CommandRunner(options.limitMs ?? DEFAULT_LIMIT_MS);
    options.signal?.addEventListener('abort', () => {
      runner.stop();
    });
    const check = new ReleaseCheck(options, temporary, runner);
    await check.run();
    return check.findings.all;
  } finally {
    if (options.keep === true) options.say(`kept: ${temporary}`);
    else await rm(temporary, { recursive: true, force: true, maxRetries: 3 });
  }
}

class ReleaseCheck {
  readonly findings: Findings;
  readonly #options: CheckOptions;
  readonly #temporary: string;
  readonly #runner: CommandRunner;

  constructor(options: CheckOptions, temporary: string, runner: CommandRunner) {
    this.#options = options;
    this.#temporary = temporary;
    this.#runner = runner;
    this.findings = new Findings(options.say);
  }

  async run(): Promise<void> {
    const copy = new ReleaseCopy(this.#options.root, join(this.#temporary, 'workspace'), this.#runner);
    const made = await copy.make();
    if (!made.ok) throw new SetupError(`the workspace cannot be copied: ${lastLines(made.output)}`);
    const all = await copy.packages();
    await requireBuilds(all);
    const chosen = this.#chosen(all);
    await this.#checkTarballs(chosen);
    await using registry = await Registry.start(join(this.#temporary, 'registry'));
    this.findings.say(`registry: ${registry.url}`);
    if (!(await checkPublished(copy, registry, this.findings))) return;
    await eachLimited(chosen, AT_ONCE, async (each) => this.#checkConsumer(each, registry));
    if (chosen.some(({ manifest }) => manifest.name === LINK)) await this.#checkWithoutOptional(registry);
    await checkVersions(copy, registry, this.findings);
  }

  #chosen(all: readonly WorkspacePackage[]): readonly WorkspacePackage[] {
    const only = this.#options.only ?? [];
    const unknown = only.find((name) => !all.some(({ folder }) => folder === name));
    if (unknown !== undefined) {
      const known = all.map(({ folder }) => folder).join(', ');
      throw new SetupError(`there is no package "${unknown}": expected one of ${known}`);
    }
    return only.length === 0 ? all : all.filter(({ folder }) => only.includes(folder));
  }

  async #checkTarballs(packages: readonly WorkspacePackage[]): Promise<void> {
    const folder = join(this.#temporary, 'tarballs');
    await mkdir(folder);
    const { engines } = await readManifest(this.#options.root);
    await eachLimited(packages, AT_ONCE, async (each) => {
      const packed = await checkTarball(each, {
        root: this.#options.root,
        folder,
        nodeRange: engines?.['node'],
        runner: this.#runner,
        findings: this.findings,
      });
      if (packed !== undefined) this.findings.say(`${each.manifest.name}: ${sizes(packed)}`);
    });
    const without = packages.filter(({ manifest }) => manifest.repository === undefined);
    if (without.length > 0) {
      this.findings.say('note: no "repository" in package.json, which provenance demands of a real release');
    }
  }

  async #checkConsumer({ folder, manifest }: WorkspacePackage, registry: Registry): Promise<void> {
    const consumer = this.#consumer(manifest.name, folder, registry);
    if (!this.findings.addAll(manifest.name, await consumer.install())) return;
    const problems = [...(await consumer.use()), ...(await consumer.askForHelp())];
    if (this.findings.addAll(manifest.name, problems)) {
      this.findings.say(`${manifest.name}: installed alone; types, entry points and README example work`);
    }
  }

  async #checkWithoutOptional(registry: Registry): Promise<void> {
    const folder = `${LINK.split('/')[1] ?? ''}-without-optional`;
    const consumer = this.#consumer(LINK, folder, registry);
    if (!this.findings.addAll(LINK, await consumer.install(['--omit=optional']))) return;
    const problems = [
      ...(await consumer.use()),
      ...(await checkWithoutCap(consumer, this.#consumerFolder(folder))),
    ];
    if (this.findings.addAll(LINK, problems)) {
      this.findings.say(`${LINK}: works without optional dependencies, and says so when cap is needed`);
    }
  }

  #consumer(name: string, folder: string, registry: Registry): Consumer {
    return new Consumer(name, {
      folder: this.#consumerFolder(folder),
      root: this.#options.root,
      cache: join(this.#temporary, 'npm-cache'),
      registry,
      runner: this.#runner,
    });
  }

  #consumerFolder(folder: string): string {
    return join(this.#temporary, 'consumers', folder);
  }
}

function sizes({ files, size, unpackedSize }: PackedPackage): string {
  return `${files.length} files, ${kilobytes(size)} packed, ${kilobytes(unpackedSize)} unpacked`;
}

function kilobytes(octets: number): string {
  return `${(octets / 1000).toFixed(1)} kB`;
}
