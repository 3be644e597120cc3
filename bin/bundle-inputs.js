import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const folder = 'bundle';
const list = 'inputs.json';

/**
 * What the bundle of a checkout was made of: of files of our own every byte, of installed packages the size and time of each file.
 * @param {string} root
 * @param {{ own: readonly string[], packages: readonly string[] }} inputs paths below the root
 * @returns {string}
 */
export function digestOf(root, { own, packages }) {
  // An import of node:crypto would load more of it.
  const digest = process.getBuiltinModule('node:crypto').createHash('sha256');
  for (const path of own) digest.update(`${path}\n`).update(readFileSync(join(root, path)));
  for (const path of packages) {
    const { size, mtimeMs } = statSync(join(root, path));
    digest.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return digest.digest('hex');
}

/**
 * Whether there is a bundle, made of exactly the files that are here now.
 * @param {string} root
 * @returns {boolean}
 */
export function isBundleCurrent(root) {
  try {
    const { digest, ...inputs } = JSON.parse(readFileSync(join(root, folder, list), 'utf8'));
    return digest === digestOf(root, inputs);
  } catch {
    // No bundle, half of one, or one whose inputs are gone.
    return false;
  }
}
