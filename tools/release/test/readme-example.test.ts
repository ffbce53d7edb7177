import { describe, expect, it } from 'vitest';
import { installedPackages, readmeExample, readmeProblems } from '../src/readme-example.js';

const README = `# @rfsis/arp

\`\`\`sh
npm install @rfsis/arp @rfsis/link
\`\`\`

\`\`\`js
not.this();
\`\`\`

\`\`\`ts
import { ArpEndpoint } from '@rfsis/arp';
import { MemorySwitch } from '@rfsis/link';
\`\`\`

\`\`\`ts
nor.this();
\`\`\`
`;

describe('a README', () => {
  it('has its example in the first block of ts', () => {
    expect(readmeExample(README)).toBe(
      "import { ArpEndpoint } from '@rfsis/arp';\nimport { MemorySwitch } from '@rfsis/link';\n",
    );
    expect(readmeExample('# nothing')).toBeUndefined();
  });

  it('says what to install', () => {
    expect(installedPackages(README)).toEqual(['@rfsis/arp', '@rfsis/link']);
    expect(installedPackages('$ npm i --save @rfsis/arp')).toEqual(['@rfsis/arp']);
    expect(installedPackages('# nothing')).toEqual([]);
  });

  it('is complete when what it says is enough for its example', () => {
    expect(readmeProblems(README, '@rfsis/arp')).toEqual([]);
  });

  it('must have an example', () => {
    expect(readmeProblems('# nothing', '@rfsis/arp')).toEqual([
      'README.md has no example: a fenced block of ts',
    ]);
  });

  it('must say to install its package', () => {
    expect(readmeProblems(README, '@rfsis/stack')).toEqual([
      'README.md does not say: npm install @rfsis/stack',
    ]);
  });

  it('must say to install what its example imports', () => {
    const [problem] = readmeProblems(README.replace(' @rfsis/link\n', '\n'), '@rfsis/arp');
    expect(problem).toContain('its example imports @rfsis/link as well');
  });
});
