import { readFile } from 'node:fs/promises';

/** The supergraph file that the command line names. Ends the process with what to do if there is none. */
export async function readSupergraph(): Promise<string> {
  const file = process.argv[2] ?? 'supergraph.graphql';
  const supergraph = await readFile(file, 'utf8').catch(() => '');
  if (supergraph !== '') return supergraph;
  console.error(`${file} is missing or empty. Compose it first: npm run --silent compose -- NAME=URL … > ${file}`);
  process.exit(1);
}
