// Completes package-lock.json for all platforms. Run it after `npm install`.
//
// npm writes no entry for an optional package of another platform when the registry at hand does not offer it, and
// `npm ci` then refuses the lock file. The packages that need them name them with exact versions, so the entries can be
// written from those: without integrity, and with the platform that the package's name tells.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const OS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const CPU = ['arm64', 'arm', 'x64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32'];
const EXACT = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));

/** The place of `name` as seen from `path`, the way Node.js looks for packages. */
function find(path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const place = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (place in lock.packages) return place;
    if (folder === '') return undefined;
  }
}

const added = {};
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (!EXACT.test(version) || find(path, name) !== undefined) continue;
    const words = name.split('/').at(-1).split('-');
    const os = OS.find((each) => words.includes(each));
    const cpu = CPU.find(
      (each) => words.includes(each) || words.some((word) => each === 'ppc64' && word.startsWith(each)),
    );
    if (os === undefined && cpu === undefined) {
      process.stderr.write(`${name}: of no platform that this script knows; left out\n`);
      continue;
    }
    added[`node_modules/${name}`] = {
      version,
      ...(cpu === undefined ? {} : { cpu: [cpu] }),
      ...(entry.dev === true ? { dev: true } : {}),
      optional: true,
      ...(os === undefined ? {} : { os: [os] }),
    };
  }
}

const { '': root, ...others } = lock.packages;
const sorted = Object.entries({ ...others, ...added }).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = { '': root, ...Object.fromEntries(sorted) };
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stderr.write(`package-lock.json: ${Object.keys(added).length} entries added\n`);
