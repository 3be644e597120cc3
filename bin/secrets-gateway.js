#!/usr/bin/env node
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Node 26 runs the TypeScript in src/ and has node:sqlite. This file itself keeps to what an old Node understands,
// so that it lives to say so.
const neededMajor = 26;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

if (Number(process.versions.node.split('.')[0]) < neededMajor) {
  console.error(
    `secrets-gateway needs Node ${neededMajor} or newer; this is Node ${process.versions.node}.\n${mend()}`,
  );
  process.exit(1);
}

nodeModule.enableCompileCache(join(root, 'node_modules', '.cache', 'compile'));
// Not awaited: Node 12 could not parse that.
void import(existsSync(join(root, 'src', 'main.ts')) ? '../src/main.ts' : '../dist/main.js');

function mend() {
  const packagedNode = findPackagedNode();
  if (!packagedNode) return 'Run "npm ci" in its folder first: that brings the Node it needs.';
  if (!existsSync(join(packagedNode, 'bin', process.platform === 'win32' ? 'node.exe' : 'node'))) {
    return [
      'The package "node" in node_modules brings the right one, but its install script did not run.',
      'Run "npm rebuild node"; where npm is set up not to run install scripts, "npm rebuild node --ignore-scripts=false".',
      'package.json must hold "allowScripts": { "node": true }.',
    ].join('\n');
  }
  return 'Start it through npm, which uses the Node in node_modules: "npm start", or "npx secrets-gateway" and a command.';
}

function findPackagedNode() {
  try {
    return dirname(nodeModule.createRequire(import.meta.url).resolve('node/package.json'));
  } catch {
    return undefined;
  }
}
