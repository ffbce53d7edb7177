// The tests that run inside a network namespace; started by ../cap-device.lab.test.ts, never by themselves.
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    name: 'link in a namespace',
    include: ['test/lab/*.lab.ts'],
    // The native module cannot be loaded in a worker thread.
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 15_000,
  },
});
