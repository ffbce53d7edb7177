import { expect, it } from 'vitest';
import { importedPackages } from '../src/imported-packages.js';

it.each([
  ["import { a } from 'pino';", ['pino']],
  ["import {\n  a,\n} from '@rfsis/link/compliance';", ['@rfsis/link']],
  ["export * from 'ajv/dist/2020.js';", ['ajv']],
  ["import 'commander';", ['commander']],
  ["const module = await import('verdaccio');", ['verdaccio']],
  ["type Logger = import('pino').Logger;", ['pino']],
  ["module = require('cap');", ['cap']],
  ["readFileSync(require.resolve('cap/build/Release/cap.node'))", ['cap']],
  ["import { b } from 'pino';\nimport { a } from 'ajv';\nimport { c } from 'pino';", ['ajv', 'pino']],
])('%s', (code, expected) => {
  expect(importedPackages(code)).toEqual(expected);
});

it.each([
  "import { a } from './a.js';",
  "import { a } from '../a.js';",
  "import { readFile } from 'node:fs/promises';",
  "import { readFile } from 'fs/promises';",
  "import a from '#internal';",
  "// import { a } from 'pino';",
  "/**\n * import { a } from 'pino';\n */",
  "const text = 'from here';",
])('no package: %s', (code) => {
  expect(importedPackages(code)).toEqual([]);
});
