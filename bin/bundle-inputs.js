// An import of a built-in module would read all of its exports.
const { existsSync, readFileSync, statSync } = process.getBuiltinModule('node:fs');
const { join } = process.getBuiltinModule('node:path');

/**
 * What the bundle of a checkout was made of: of files of our own every byte, of installed packages the size and time of each file.
 * @param {string} root
 * @param {{ own: readonly string[], packages: readonly string[] }} inputs paths below the root
 * @returns {string}
 */
export function digestOf(root, { own, packages }) {
  const digest = process.getBuiltinModule('node:crypto').createHash('sha256');
  for (const path of own) digest.update(`${path}\n`).update(readFileSync(join(root, path)));
  for (const path of packages) {
    const { size, mtimeMs } = statSync(join(root, path));
    digest.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return digest.digest('hex');
}

/**
 * Whether there is a bundle, and all that this command can load of it is made of exactly the files that are here now.
 * @param {string} root
 * @param {string} [command] the first word of the command line
 * @returns {boolean}
 */
export function isBundleCurrent(root, command = '') {
  try {
    const { digest, ...inputs } = JSON.parse(readFileSync(listOf(join(root, 'bundle/inputs'), command), 'utf8'));
    return digest === digestOf(root, inputs);
  } catch {
    // No bundle, half of one, or one whose inputs are gone.
    return false;
  }
}

/**
 * A command has a list of its own; anything else may load all of the bundle.
 * @param {string} folder
 * @param {string} command
 * @returns {string}
 */
function listOf(folder, command) {
  const list = join(folder, `${command}.json`);
  return /^[a-z]+$/.test(command) && existsSync(list) ? list : join(folder, 'all.json');
}
