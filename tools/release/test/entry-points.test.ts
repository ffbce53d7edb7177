import { expect, it } from 'vitest';
import { entryPointsProgram, entrySpecifiers } from '../src/entry-points.js';
import { LINK } from './manifests.js';

it('every entry of exports can be named', () => {
  expect(entrySpecifiers(LINK)).toEqual([
    '@rfsis/link',
    '@rfsis/link/compliance',
    '@rfsis/link/package.json',
  ]);
});

it('the program imports and checks them all', () => {
  const program = entryPointsProgram(LINK);
  expect(program).toContain("import * as entry0 from '@rfsis/link';");
  expect(program).toContain("import * as entry1 from '@rfsis/link/compliance';");
  expect(program).toContain("import entry2 from '@rfsis/link/package.json' with { type: 'json' };");
  expect(program.match(/^check</gm)).toHaveLength(3);
});
