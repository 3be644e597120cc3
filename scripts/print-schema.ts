import { schema } from '../src/graphql/schema/schema.ts';
import { apiSdl, subgraphSdl } from '../src/graphql/schema/sdl.ts';
import { printedFile } from './printed-file.ts';

const files = {
  'schema.graphql': apiSdl(schema),
  'subgraph.graphql': subgraphSdl(schema),
  'subgraph-with-security.graphql': subgraphSdl(schema, true),
};

for (const [name, text] of Object.entries(files)) {
  printedFile(`schema/${name}`, text, { source: 'src/graphql', command: 'npm run schema' });
}
