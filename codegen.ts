import type { CodegenConfig } from '@graphql-codegen/cli';

const types = {
  scalars: { DateTime: 'string', JSON: 'unknown', ID: 'string' },
  strictScalars: true,
  useTypeImports: true,
};

/** The documents of the client, and those that the examples and some tests send, with the types of their answers. */
const config: CodegenConfig = {
  schema: 'schema/schema.graphql',
  generates: {
    'src/client/documents.ts': {
      documents: 'src/client/documents/*.graphql',
      plugins: ['typescript-operations', './scripts/codegen-small-documents.ts'],
      // The JSON of these documents is a key.
      config: { ...types, scalars: { ...types.scalars, JSON: 'jose#JWK' } },
    },
    'examples/documents.ts': {
      documents: 'examples/documents/*.graphql',
      plugins: ['typescript-operations', 'typed-document-node'],
      config: { ...types, documentMode: 'string' },
    },
  },
};

export default config;
