import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SetupError } from '../src/setup-error.js';
import { copyWorkspace, filesBelow, readPackages, requireBuilds } from '../src/workspace.js';
import { LINK } from './manifests.js';

let temporary: string;
let root: string;

const FILES: Readonly<Record<string, string>> = {
  'package.json': '{}',
  '.npmrc': 'fund=false\n',
  '.changeset/config.json': '{}',
  'packages/link/package.json': JSON.stringify(LINK),
  'packages/link/src/index.ts': '',
  'packages/link/dist/index.js': '',
  'packages/link/node_modules/.cache': '',
  'packages/hidden/package.json': '{"name":"@rfsis/hidden","private":true}',
  'tools/lab/package.json': '{"name":"@rfsis/tool-lab","private":true}',
  'tools/lab/src/index.ts': '',
  'tools/setup.mjs': '',
};

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'rfsis-release-test-'));
  root = join(temporary, 'root');
  for (const [path, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
});

afterAll(async () => {
  await rm(temporary, { recursive: true });
});

describe('the workspace', () => {
  it('tells the packages to be published', async () => {
    expect((await readPackages(root)).map(({ folder }) => folder)).toEqual(['link']);
    await expect(readPackages(temporary)).rejects.toThrow(SetupError);
  });

  it('demands a build', async () => {
    const packages = await readPackages(root);
    await expect(requireBuilds(packages)).resolves.toBeUndefined();
    const unbuilt = packages.map((each) => ({ ...each, path: temporary }));
    await expect(requireBuilds(unbuilt)).rejects.toThrow('@rfsis/link is not built: run npx nx');
  });

  it('is copied as far as a release needs it, without provenance', async () => {
    const copy = join(temporary, 'copy');
    await copyWorkspace(root, copy);
    expect((await filesBelow(copy)).toSorted()).toEqual([
      '.changeset/config.json',
      '.npmrc',
      'package.json',
      'packages/hidden/package.json',
      'packages/link/dist/index.js',
      'packages/link/package.json',
      'packages/link/src/index.ts',
      'tools/lab/package.json',
    ]);
    expect(await readdir(copy)).toContain('node_modules');
    const [link] = await readPackages(copy);
    expect(link?.manifest).toEqual({ ...LINK, publishConfig: { access: 'public', provenance: false } });
    expect(await readFile(join(root, 'packages/link/package.json'), 'utf8')).toBe(JSON.stringify(LINK));
  });
});
