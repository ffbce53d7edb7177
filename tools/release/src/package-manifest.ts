// What this check reads in a package.json, and what it demands of one beyond what publint and attw look at.

/** The part of a package.json that is read here. */
export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly license?: string;
  readonly type?: string;
  readonly sideEffects?: boolean | readonly string[];
  readonly keywords?: readonly string[];
  readonly repository?: unknown;
  readonly engines?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, ExportTarget>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly publishConfig?: Readonly<Record<string, unknown>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** An entry of `exports`: a file, or files by condition. */
export type ExportTarget = string | Readonly<Record<string, string>>;

/** Scripts that npm would run on the machine of whoever installs the package. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare'];
const SUMMARY_LIMIT = 200;

/** The packages that are there after a package was installed alone, itself included. */
export function declaredPackages(manifest: PackageManifest): ReadonlySet<string> {
  return new Set([
    manifest.name,
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.optionalDependencies ?? {}),
    ...Object.keys(manifest.peerDependencies ?? {}),
  ]);
}

/**
 * What is wrong with the manifest of a package to be published.
 * @param folder the name of its folder
 * @param nodeRange what the workspace says of Node.js in `engines`
 */
export function manifestProblems(
  manifest: PackageManifest,
  folder: string,
  nodeRange: string | undefined,
): readonly string[] {
  const expectations: readonly (readonly [boolean, string])[] = [
    [manifest.name === `@rfsis/${folder}`, `"name" must be "@rfsis/${folder}", after its folder`],
    [
      /^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(manifest.version),
      `"version" ${manifest.version} is no version of npm`,
    ],
    [
      (manifest.description ?? '') !== '' && (manifest.description ?? '').length <= SUMMARY_LIMIT,
      `"description" must be there, with at most ${SUMMARY_LIMIT} characters`,
    ],
    [manifest.license === 'MIT', '"license" must be "MIT"'],
    [manifest.type === 'module', '"type" must be "module"'],
    [manifest.sideEffects === false, '"sideEffects" must be false'],
    [new Set(manifest.keywords).size >= 3, '"keywords" must have three words at least'],
    [
      new Set(manifest.keywords).size === (manifest.keywords ?? []).length,
      '"keywords" must not have a word twice',
    ],
    [
      manifest.engines?.['node'] !== undefined && manifest.engines['node'] === nodeRange,
      `"engines"."node" must be that of the workspace, ${nodeRange ?? 'which is missing'}`,
    ],
    [manifest.exports?.['.'] !== undefined, '"exports" must have the entry "."'],
    [
      manifest.exports?.['./package.json'] === './package.json',
      '"exports" must have the entry "./package.json"',
    ],
    [
      manifest.publishConfig?.['access'] === 'public',
      '"publishConfig"."access" must be "public": scoped packages are private otherwise',
    ],
    [
      INSTALL_SCRIPTS.every((script) => manifest.scripts?.[script] === undefined),
      `"scripts" must not have ${INSTALL_SCRIPTS.join(', ')}: they run at the users' machines`,
    ],
  ];
  return expectations.filter(([holds]) => !holds).map(([, problem]) => problem);
}

/** The files that a manifest names as entry points or programs, relative to the package. */
export function entryFiles(manifest: PackageManifest): readonly string[] {
  const exported = Object.values(manifest.exports ?? {}).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  return [...exported, ...Object.values(manifest.bin ?? {})].map((file) => file.replace(/^\.\//, ''));
}
