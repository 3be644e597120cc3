import { readFileSync, writeFileSync } from 'node:fs';
import { errorTable } from '../src/errors.ts';

const rows = Object.entries(errorTable).map(
  ([code, { status, type, message, when }]) => `| \`${code}\` | ${status} | \`${type}\` | ${message} | ${when} |`,
);

const printed = `# Errors

<!-- Printed from src/errors.ts by "npm run errors". Change it there, or the words around the table in scripts/print-errors.ts. -->

Every error has the same shape, whatever went wrong and wherever:

\`\`\`json
{
  "message": "Validation failed for the request parameters.",
  "path": ["createSecret"],
  "extensions": {
    "code": "UNPROCESSABLE_ENTITY",
    "status": 422,
    "type": "validation_error",
    "requestId": "d6eeb46c-c2a4-429e-80ed-71ce6c1081d9",
    "description": "Mend these fields and send the request again: provider.",
    "errors": [
      {
        "field": "provider",
        "loc": ["input", "provider"],
        "message": "Must be there for a user's secret.",
        "type": "required"
      }
    ]
  }
}
\`\`\`

- **Branch on \`code\`**, or on \`type\` where two cases of one code differ. Both are stable; \`message\` and \`description\` are for people.
- \`requestId\` is also in the \`X-Request-Id\` header of every answer, and in the log. A well-formed \`X-Request-Id\` that you send is kept.
- \`errors\` lists every broken field at once. \`loc\` is the path to it from the operation's arguments.
- \`retryAfter\` (seconds, also the \`Retry-After\` header) comes with what will pass. \`currentVersion\` comes with a stale \`expectedVersion\`.
- No error repeats a value that you sent. Names from your document may be repeated where a name belongs.

## Codes

| code | status | type | message | when |
|---|---|---|---|---|
${rows.join('\n')}

\`DUPLICATION_FAILED\` and \`UNPROCESSABLE_CONTENT\` belong to \`duplicateSecrets\` and to sealed values, which are not there yet.

## HTTP status

Ask for \`Accept: application/graphql-response+json\`, and an answer without \`data\` has the error's \`status\` as its HTTP status.
With \`application/json\` it is 200 for what is well-formed, but what has nothing to do with the operation – missing or wrong
credentials, the rate limit, \`Accept\`, the media type, the size, overload – has its own status either way. An answer with a part of its
\`data\` is always 200. Headers over 16 KiB are 431 and a request that arrives too slowly is 408, with the same kind of body.

## Types of their own

\`BAD_REQUEST\` has another \`type\` for each limit of an operation, so that a client can tell what to split:
\`tokens_limit_error\`, \`length_limit_error\`, \`depth_limit_error\`, \`root_fields_limit_error\`, \`aliases_limit_error\`, \`directives_limit_error\`, \`comments_limit_error\`, \`introspections_limit_error\`,
\`repetitions_limit_error\`, \`objects_limit_error\`, \`lists_limit_error\`, \`representations_limit_error\`,
\`name_length_limit_error\`, \`variables_limit_error\`. A longer array of operations: \`batch_limit_error\`. And \`fragment_cycle_error\` for a fragment
that spreads itself, \`unknown_operation_error\` where only registered operations are accepted.

The \`type\` of a broken field in \`extensions.errors\`:

| type | the field |
|---|---|
| \`required\` | must be there, or must not be empty |
| \`null\` | may be left out, but not be null |
| \`too_long\`, \`too_many\` | is over its limit |
| \`range\`, \`exclusive\` | is a page size out of range, or \`last\` beside \`first\` |
| \`characters\`, \`surrounding_space\`, \`ill_formed\` | holds characters that are not allowed there, has spaces at its ends, or is not well-formed Unicode |
| \`uuid\`, \`environment_variable_name\` | must be one |
| \`masked_value\` | is a mask where the value belongs |
| \`taken\` | is the name or the id of another secret (with \`CONFLICT_ERROR\`) |
`;

const file = new URL('../docs/errors.md', import.meta.url);
if (!process.argv.includes('--check')) {
  writeFileSync(file, printed);
  console.log('docs/errors.md written.');
} else if (readFileSync(file, 'utf8') === printed) {
  console.log('docs/errors.md is up to date.');
} else {
  console.error('docs/errors.md is not what src/errors.ts says. Run "npm run errors" and commit the result.');
  process.exitCode = 1;
}
