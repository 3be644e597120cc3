#!/usr/bin/env node
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Node 26 has node:sqlite, and runs the TypeScript of a checkout. This file uses only what an old Node understands,
// so that an old Node can print the advice below.
const neededMajor = 26;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

if (Number(process.versions.node.split('.')[0]) < neededMajor) {
  console.error(
    `secrets-gateway needs Node ${neededMajor} or newer; this is Node ${process.versions.node}.\n${advice()}`,
  );
  process.exit(1);
}

nodeModule.enableCompileCache(join(root, 'node_modules', '.cache', 'compile'));
// Not awaited: Node 12 cannot parse a top-level await.
void run();

/** The package has the bundle. A checkout runs its sources, unless the bundle was made of just these. */
async function run() {
  if (existsSync(join(root, 'src', 'main.ts'))) {
    const { isBundleCurrent } = await import('./bundle-inputs.js');
    if (!isBundleCurrent(root)) return import('../src/main.ts');
  }
  return import('../bundle/main.cjs');
}

function advice() {
  const packagedNode = findPackagedNode();
  if (!packagedNode) return 'The package "node" brings it. Run "npm ci" in a checkout, or "npm install" elsewhere.';
  const executable = join(packagedNode, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(executable)) {
    return [
      'The package "node" in node_modules brings it, but its install script did not run. In the folder of your package.json:',
      '1. Add "allowScripts": { "node": true } to package.json. npm 11 and newer ask for it.',
      '2. Run "npm rebuild node". If npm is set to run no install scripts: "npm rebuild node --ignore-scripts=false".',
    ].join('\n');
  }
  return [
    'Start it through npm, which uses the Node in node_modules: "npm start" in a checkout, "npx secrets-gateway serve" elsewhere.',
    `Where npm is not used, start it with ${executable}`,
  ].join('\n');
}

function findPackagedNode() {
  try {
    return dirname(nodeModule.createRequire(import.meta.url).resolve('node/package.json'));
  } catch {
    return undefined;
  }
}
