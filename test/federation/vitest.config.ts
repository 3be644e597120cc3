import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    // Vite would pick index.mjs where Node picks index.js, and instanceof fails across two copies of graphql.
    alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql/index.js')) }],
  },
  test: {
    include: ['*.test.ts'],
    setupFiles: ['../support/short-connections.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Apollo Gateway's telemetry would look for Google Cloud around it; these tests stay on loopback.
    env: { METADATA_SERVER_DETECTION: 'none' },
  },
});
