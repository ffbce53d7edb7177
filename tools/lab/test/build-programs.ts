// Builds the lab from its sources as one JavaScript file each, for tests that start it in a process of its own. Two
// levels below the folder of the lab, like the sources, so that it finds the Python clients.
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
      outDir: 'out-tsc/programs',
      emptyOutDir: true,
      minify: false,
      rollupOptions: {
        input: { index: join(folder, 'src/index.ts'), main: join(folder, 'src/main.ts') },
        output: { entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
      },
    },
  });
}
