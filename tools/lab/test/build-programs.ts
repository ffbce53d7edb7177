// Builds the lab from its sources, for tests that start it in a process of its own: as out-tsc/index.mjs and
// out-tsc/main.mjs, as far from the Python clients as the sources are.
import { join } from 'node:path';
import { build } from 'vite';

const folder = join(import.meta.dirname, '..');

export default async function buildPrograms(): Promise<void> {
  await build({
    configFile: false,
    root: folder,
    logLevel: 'error',
    resolve: { alias: { '@rfsis/link': join(folder, '../../packages/link/src/index.ts') } },
    ssr: { noExternal: ['@rfsis/link'] },
    build: {
      ssr: true,
      target: 'node20',
      outDir: 'out-tsc',
      emptyOutDir: false,
      minify: false,
      rollupOptions: {
        input: { index: join(folder, 'src/index.ts'), main: join(folder, 'src/main.ts') },
        output: { entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
      },
    },
  });
}
