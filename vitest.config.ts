// Owns how tests are grouped: unit and loop need no editor; editor drives the real one and never runs in parallel.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      { test: { name: 'loop', include: ['test/loop/**/*.test.ts'], testTimeout: 120_000 } },
      {
        test: {
          name: 'store',
          include: ['test/store/**/*.test.ts'],
          testTimeout: 600_000,
          fileParallelism: false,
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
