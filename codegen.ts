import type { CodegenConfig } from '@graphql-codegen/cli';

/** The documents that the examples and some tests send, with the types of their answers. */
const config: CodegenConfig = {
  schema: 'schema/schema.graphql',
  documents: 'examples/documents/*.graphql',
  generates: {
    'examples/documents.ts': {
      plugins: ['typescript-operations', 'typed-document-node'],
      config: {
        documentMode: 'string',
        scalars: { DateTime: 'string', JSON: 'unknown', ID: 'string' },
        strictScalars: true,
        useTypeImports: true,
      },
    },
  },
};

export default config;
