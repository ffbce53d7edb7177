// Lint rules of the whole workspace: typed rules, the import order of the packages, no ambient time or chance.
import nx from '@nx/eslint-plugin';
import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

const timeAndChance = 'Time and chance come in through Clock and Random of @rfsis/link.';

/** Which packages each package may import; the architecture in one table. */
const importOrder = {
  link: [],
  arp: ['link'],
  stack: ['link', 'arp'],
  heartbeat: ['link', 'arp'],
  sniffer: ['link', 'arp', 'heartbeat'],
  sync: ['link', 'arp', 'stack'],
  core: ['link', 'arp', 'stack', 'heartbeat', 'sniffer', 'sync'],
};

export default tseslint.config(
  {
    ignores: ['**/dist/**', '**/out-tsc/**', '**/coverage/**', '.nx/**', '**/*.d.ts'],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['vitest.shared.ts'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: true,
          allow: ['^.*/vitest\\.shared\\.js$'],
          depConstraints: [
            ...Object.entries(importOrder).map(([name, allowed]) => ({
              sourceTag: `scope:${name}`,
              onlyDependOnLibsWithTags: [name, ...allowed].map((each) => `scope:${each}`),
            })),
            { sourceTag: 'type:app', onlyDependOnLibsWithTags: ['type:package', 'type:tool'] },
            { sourceTag: 'type:tool', onlyDependOnLibsWithTags: ['type:package', 'type:tool'] },
          ],
        },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      // `as number` marks an index that was checked before; `!` stays forbidden.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/prefer-literal-enum-member': 'off',
      'max-lines': ['error', { max: 450, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 75, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['**/test/**/*.ts'],
    rules: { 'max-lines-per-function': 'off', 'max-lines': 'off' },
  },
  {
    files: ['packages/*/src/**/*.ts', 'apps/*/src/**/*.ts', 'tools/sim/src/**/*.ts'],
    ignores: [
      'packages/link/src/system-clock.ts',
      'packages/link/src/random.ts',
      'packages/link/src/virtual-clock.ts',
    ],
    rules: {
      'no-restricted-globals': [
        'error',
        ...[
          'Date',
          'performance',
          'setTimeout',
          'setInterval',
          'setImmediate',
          'queueMicrotask',
          'clearTimeout',
          'clearInterval',
          'clearImmediate',
          'crypto',
        ].map((name) => ({ name, message: timeAndChance })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: timeAndChance },
        { object: 'process', property: 'hrtime', message: timeAndChance },
        { object: 'process', property: 'uptime', message: timeAndChance },
        { object: 'process', property: 'nextTick', message: timeAndChance },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            ...['timers', 'timers/promises', 'perf_hooks'].flatMap((name) => [
              { name: `node:${name}`, message: timeAndChance },
              { name, message: timeAndChance },
            ]),
            {
              name: 'node:crypto',
              importNames: [
                'randomBytes',
                'randomInt',
                'randomUUID',
                'randomFill',
                'randomFillSync',
                'webcrypto',
              ],
              message: timeAndChance,
            },
          ],
        },
      ],
    },
  },
  prettier,
);
