import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { schema } from '../src/graphql/schema/schema.ts';
import { apiSdl, subgraphSdl } from '../src/graphql/schema/sdl.ts';

/** The expected content of each file under schema/. */
const files = {
  'schema.graphql': apiSdl(schema),
  'subgraph.graphql': subgraphSdl(schema),
  'subgraph-with-security.graphql': subgraphSdl(schema, true),
};

const folder = new URL('../schema/', import.meta.url);
const check = process.argv.includes('--check');
let stale = 0;

mkdirSync(folder, { recursive: true });
for (const [name, printed] of Object.entries(files)) {
  const file = new URL(name, folder);
  if (!check) {
    writeFileSync(file, printed);
    console.log(`schema/${name} written.`);
  } else if (read(file) !== printed) {
    stale += 1;
    console.error(`schema/${name} is not what src/graphql prints. Run "npm run schema" and commit the result.`);
  } else {
    console.log(`schema/${name} is up to date.`);
  }
}
process.exitCode = stale === 0 ? 0 : 1;

function read(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
