import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

export default defineConfig({
  resolve: {
    // Vite would pick index.mjs where Node picks index.js, and instanceof fails across two copies of graphql.
    alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql/index.js')) }],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // Packages of their own: gateways bring 190 MB of dependencies, and clients are for browsers.
    exclude: ['test/federation/**', 'test/clients/**'],
    globalSetup: ['test/support/mongod-global-setup.ts'],
    setupFiles: ['test/support/short-connections.ts'],
    sequence: { sequencer: LongestFirst },
    // A machine that does other work at the same time takes longer than the second that vitest waits by default.
    expect: { poll: { timeout: 20_000 } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // For two cores: a worker waits for a quarter of its time. A mongod, a Chromium and started gateways need the cores, too.
    maxWorkers: 3,
    // Transcripts, of which some wait for a database that does not answer.
    maxConcurrency: 4,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
    },
  },
});
