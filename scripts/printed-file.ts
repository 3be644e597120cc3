import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');

/**
 * Writes a file that is printed from the source. With `--check` it compares instead, and the process fails where the file is stale.
 * @param path from the root of the project
 * @param command that prints it
 */
export function printedFile(
  path: string,
  text: string,
  { source, command }: { source: string; command: string },
): void {
  const file = join(root, path);
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(`${path} written.`);
  } else if (read(file) === text) {
    console.log(`${path} is up to date.`);
  } else {
    console.error(`${path} is not what ${source} says. Run "${command}" and commit the result.`);
    process.exitCode = 1;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
