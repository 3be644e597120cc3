import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface OldNode {
  readonly path: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A PATH whose `node` is older than what the gateway needs: that of the machine, or where it is new, a stand-in. A stand-in is this Node, and
 * calls itself Node 20.
 * @param path of a user's shell, without node_modules
 */
export async function pathWithOldNode(path: string): Promise<OldNode> {
  const version = execFileSync('node', ['--version'], { env: { PATH: path }, encoding: 'utf8' });
  if (Number(/\d+/.exec(version)) < 26) return { path, [Symbol.asyncDispose]: async () => {} };
  return standIn(path);
}

async function standIn(path: string): Promise<OldNode> {
  const folder = await mkdtemp(join(tmpdir(), 'secrets-gateway-old-node-'));
  const pretence = join(folder, 'pretence.cjs');
  await writeFile(
    pretence,
    `const versions = { ...process.versions, node: '20.19.0' };
Object.defineProperty(process, 'versions', { value: versions });
Object.defineProperty(process, 'version', { value: 'v20.19.0' });
`,
  );
  const node = join(folder, 'node');
  await writeFile(
    node,
    `#!/bin/sh\nif [ "$*" = --version ]; then echo v20.19.0; else exec '${process.execPath}' --require '${pretence}' "$@"; fi\n`,
  );
  await chmod(node, 0o755);
  return {
    path: [folder, path].join(delimiter),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
