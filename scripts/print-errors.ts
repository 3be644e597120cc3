import { errorTable } from '../src/errors.ts';
import { printedFile } from './printed-file.ts';

const rows = Object.entries(errorTable).map(
  ([code, { status, type, message, when }]) => `| \`${code}\` | ${status} | \`${type}\` | ${message} | ${when} |`,
);

const printed = `# Errors

<!-- Printed from src/errors.ts by "npm run errors". Change it there, or the words around the table in scripts/print-errors.ts. -->

Every error has the same shape, whatever went wrong and wherever. Here a user's secret was sent without its provider:

<!-- answers: mutation { createSecret(input: { name: "OPENAI_API_KEY", value: "sk-1" }) { secret { id } } } -->
\`\`\`json
{
  "message": "Validation failed for the request parameters.",
  "locations": [{ "line": 1, "column": 12 }],
  "path": ["createSecret"],
  "extensions": {
    "code": "UNPROCESSABLE_ENTITY",
    "status": 422,
    "type": "validation_error",
    "requestId": "d6eeb46c-c2a4-429e-80ed-71ce6c1081d9",
    "description": "Fix these fields and send the request again: provider.",
    "errors": [
      {
        "field": "provider",
        "loc": ["input", "provider"],
        "message": "Is required for a user's secret.",
        "type": "required"
      }
    ]
  }
}
\`\`\`

- **Branch on \`code\`**, or on \`type\` where two cases of one code differ. Both are stable; \`message\` and \`description\` are for people to read.
- \`requestId\` is also in the \`X-Request-Id\` header of every answer, and in the log. A well-formed \`X-Request-Id\` that you send is kept.
- \`errors\` lists every field that breaks a rule. \`loc\` is the path to it from the operation's arguments; in a [batch](bulk.md) it has the index of the item: \`["input", "secrets", 3, "name"]\`. \`name\` is there where a stored secret stands in the way of its copy.
- \`retryAfter\` (seconds, also the \`Retry-After\` header) is there when a retry may succeed. \`currentVersion\` is there when \`expectedVersion\` was stale.
- No error repeats a value that you sent. Names from your document may be repeated where a name belongs.

## Codes

| code | status | type | message | when |
|---|---|---|---|---|
${rows.join('\n')}

## HTTP status

With \`Accept: application/graphql-response+json\` an answer without \`data\` has the error's \`status\` as its HTTP status.

With \`Accept: application/json\`, or the \`*/*\` that curl sends, a well-formed GraphQL request is answered with 200, also when it fails:
a \`BAD_REQUEST\` for an unknown field too. What is refused before GraphQL has its own status under both: missing or wrong credentials,
the rate limit, \`Accept\`, the media type, the size, a body that is not JSON, overload.

An answer with a part of its \`data\` is always 200. Headers over 32 KiB are 431 and a request that arrives too slowly is 408, with the same
kind of body.

## Further types

\`BAD_REQUEST\` has a \`type\` for each limit of an operation, so that a client can tell what to split:
\`tokens_limit_error\`, \`length_limit_error\`, \`depth_limit_error\`, \`root_fields_limit_error\`, \`aliases_limit_error\`, \`directives_limit_error\`, \`comments_limit_error\`, \`introspections_limit_error\`,
\`repetitions_limit_error\`, \`objects_limit_error\`, \`lists_limit_error\`, \`answer_limit_error\`, \`scan_limit_error\`, \`lines_limit_error\`, \`representations_limit_error\`,
\`name_length_limit_error\`, \`variables_limit_error\`, \`delivery_limit_error\`, \`write_limit_error\`. An array with too many operations is a
\`batch_limit_error\`, a fragment that spreads itself a \`fragment_cycle_error\`. Where only registered operations are accepted, any other is
an \`unknown_operation_error\`.

The \`type\` of a field in \`extensions.errors\`:

| type | the field |
|---|---|
| \`required\` | is missing, or is empty |
| \`null\` | is null; it may be left out instead |
| \`too_long\`, \`too_many\` | is longer than its limit, or has more items |
| \`range\` | is a number out of range, such as a page size |
| \`exclusive\` | is there together with a field that excludes it: \`last\` and \`first\`, \`value\` and \`sealedValue\` |
| \`characters\`, \`combining_marks\`, \`surrounding_space\`, \`ill_formed\` | has characters that are not allowed there, has more than 30 combining marks in a row, has spaces at its ends, or is not well-formed Unicode |
| \`invisible\` | shows nothing: it has only spaces, marks or fillers |
| \`uuid\`, \`environment_variable_name\` | is not one |
| \`masked_value\` | is a mask instead of a value: on update the secret's own mask, also with other signs for its bullets or in a wrong encoding; on create anything that looks like a mask |
| \`origin\`, \`insecure_origin\`, \`private_address\` | is no origin of a destination, or one over plain HTTP, or at a private address |
| \`header_name\`, \`header_not_allowed\` | is no name of a header, or that of one in which no value is put |
| \`format\` | has no \`{value}\`, or more than one |
| \`path\` | is no prefix of paths |
| \`value_required\` | is a destination without a new value: it only changes together with one; or \`verify\` without one: there is nothing to verify |
| \`destination_required\` | is left out, and the present value has a destination that was given by hand |
| \`value_too_short\`, \`value_too_long\`, \`value_not_for_headers\` | is a destination for a value of under 8 characters, of over 8 KiB, or one that cannot stand in a header; also a warning |
| \`other_provider\` | begins as the keys of [another provider](providers.md#keys-of-another-provider) do; a warning only |
| \`rejected_by_provider\` | is a value that its provider refuses, and that was sent with [\`verify\`](health.md#verify-a-value-before-it-is-written) |
| \`not_verified\` | is \`verify\`, and the provider could not tell: the value was written; a warning only |
| \`public_key\` | is no sound public key of X25519 or P-256 |
| \`scope\`, \`scope_not_held\` | is no scope that an API key can have, or one that you do not have yourself |
| \`no_destination\` | is what the secret that is to be used has none of |
| \`path_not_allowed\` | is the path of a request, which is under none of the paths of the secret's destination |
| \`unknown_type\` | is no type of an audit event |
| \`past\` | is a time that is not in the future |
| \`ended\` | is an API key that was revoked or has expired (with \`CONFLICT_ERROR\`) |
| \`undecryptable\`, \`invalid_header\`, \`expired\`, \`unknown_key\`, \`wrong_subject\`, \`wrong_owner\`, \`wrong_name\`, \`wrong_id\`, \`replayed\` | is a [sealed value](sealed-values.md#what-is-refused) that cannot be used (with \`UNPROCESSABLE_CONTENT\`) |
| \`unknown_type\` | is no type of an audit event |
| \`idempotency_key_in_use\` | is the key of a request that is still running (with \`CONFLICT_ERROR\`) |
| \`idempotency_key_reused\` | is the key of another request |
| \`taken\` | is the name or the id of another secret (with \`CONFLICT_ERROR\`; of a copy with \`DUPLICATION_FAILED\`) |
| \`other_id\` | is not the id of the secret that has the name (with \`CONFLICT_ERROR\`) |
| \`duplicate\` | is that of an earlier item, too |
| \`same_owner\` | is the owner that is copied from |
| \`missing\`, \`no_value\`, \`no_provider\`, \`damaged\` | is a secret that [cannot be copied](bulk.md#copy) (with \`DUPLICATION_FAILED\`) |
`;

printedFile('docs/errors.md', printed, { source: 'src/errors.ts', command: 'npm run errors' });
