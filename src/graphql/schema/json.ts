import { builder } from './builder.ts';

builder.scalarType('JSON', {
  description: 'A JSON value of any shape (RFC 8259).',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
  parseValue: (sent) => sent,
});
