// Owns how tests are grouped: unit and loop need no editor; editor drives the real one and never runs in parallel.
import os from 'node:os';
import path from 'node:path';
import { defineConfig } from 'vitest/config';

// What an engine remembers of this user's runs must not get into the real user's folder.
process.env.RATCHET_STATE = path.join(os.tmpdir(), `ratchet-test-state-${process.pid}`);

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      { test: { name: 'loop', include: ['test/loop/**/*.test.ts'], testTimeout: 120_000 } },
      {
        test: {
          name: 'store',
          include: ['test/store/**/*.test.ts'],
          testTimeout: 1_800_000,
          // Two at once: the long ones keep a core busy each, and none depends on what another leaves or on speed.
          maxWorkers: 2,
          // The proofs of the store load its bundle as Node does, not as Vite would rewrite it.
          server: { deps: { external: [/\/dist\//] } },
        },
      },
      {
        test: {
          name: 'editor',
          include: ['test/editor/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
