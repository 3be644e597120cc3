import type { CodegenConfig } from '@graphql-codegen/cli';

/** The operations that the examples and the tests send, typed by the schema they were checked against. */
const config: CodegenConfig = {
  schema: 'schema/schema.graphql',
  documents: 'examples/operations/*.graphql',
  generates: {
    'examples/operations.ts': {
      plugins: ['typescript-operations', 'typed-document-node'],
      config: {
        documentMode: 'string',
        scalars: { DateTime: 'string', ID: 'string' },
        strictScalars: true,
        useTypeImports: true,
      },
    },
  },
};

export default config;
