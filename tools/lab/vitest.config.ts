import { mergeConfig } from 'vitest/config';
import { toolTests } from '../../vitest.shared.js';

export default mergeConfig(toolTests(import.meta.dirname), {
  test: {
    // Tests that end processes need the lab as a program.
    globalSetup: ['test/build-programs.ts'],
    // Real networks on a machine that may be busy; each test bounds what it waits for by itself.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
