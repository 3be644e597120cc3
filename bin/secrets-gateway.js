#!/usr/bin/env node
// No import of a built-in module: in an ES module that reads all of its exports, which takes milliseconds. Without a top-level
// await, which Node 12 cannot parse: an old Node must be able to print the advice.
const neededMajor = 26;

if (Number(process.versions.node.split('.')[0]) < neededMajor) void import('./old-node.js');
else run();

/** The package has the bundle. A checkout runs its sources, unless the bundle was made of just these. */
function run() {
  const { existsSync } = process.getBuiltinModule('node:fs');
  const { createRequire, enableCompileCache } = process.getBuiltinModule('node:module');
  const { dirname, join } = process.getBuiltinModule('node:path');
  const root = dirname(import.meta.dirname);
  const require = createRequire(import.meta.url);
  enableCompileCache(join(root, 'node_modules', '.cache', 'compile'));
  if (existsSync(join(root, 'src', 'main.ts'))) {
    const { isBundleCurrent } = require('./bundle-inputs.js');
    if (!isBundleCurrent(root, process.argv[2])) {
      void import('../src/main.ts');
      return;
    }
  }
  require('../bundle/main.cjs');
}
