import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

// Says what to do where Node is too old. Node 26 has node:sqlite, and runs the TypeScript of a checkout.

console.error(`secrets-gateway needs Node 26 or newer; this is Node ${process.versions.node}.\n${advice()}`);
process.exit(1);

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
    return dirname(createRequire(import.meta.url).resolve('node/package.json'));
  } catch {
    return undefined;
  }
}
