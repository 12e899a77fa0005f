import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'internal/test/**/*.test.ts',
      'explorer/test/**/*.test.ts',
      'reliability/test/**/*.test.ts',
      'benchmarks/test/**/*.test.ts',
      'examples/test/**/*.test.ts',
      'packaging/test/**/*.test.ts',
    ],
    // A worker thread of vitest would share its process, so its descriptors and its session, with other tests.
    pool: 'forks',
    // The tests start processes of their own; more files at a time than this only makes them wait for each other.
    maxWorkers: 2,
    // Fails whatever leaves a process, a file or a descriptor behind.
    // And builds again what is built of several packages, should one of them have been compiled since.
    globalSetup: ['internal/dist/run-folders.js', 'scripts/bundle.mjs'],
    setupFiles: ['internal/dist/leak-check.js'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Left to itself vitest inlines linked packages and gives a test a second copy of each module.
    server: {
      deps: {
        external: [
          /\/packages\/[^/]+\/(dist|lib)\//,
          /\/(internal|explorer|reliability|benchmarks)\/dist\//,
          /\/test\/fixtures\//,
        ],
      },
    },
  },
})
