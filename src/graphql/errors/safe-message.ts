import {
  DirectiveLocation,
  type GraphQLError,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  parse,
  type Source,
  visit,
} from 'graphql';

/*
 * graphql-js and its executors quote what a client sent. This file rebuilds such a text instead of cleaning it.
 *
 * Why the answer cannot hold a value, whatever a client makes the text look like: it is always the constant output of one
 * of the rows below, and all that is ever put into it is what `rebuild` of a hole returns, which is one of
 *   - a word out of a constant alternation (token kinds, keywords, directive locations),
 *   - a name that is in the schema, or is the value of a Name node of the document (an enum value, a string or a key of the
 *     variables is no Name node), with the brackets and marks of a type or the dots and indexes of a path around it,
 *   - at most seven digits, in the place of a limit of the server or of a list index (which stands behind the quoted value,
 *     where every quote is escaped: no value can end like a path).
 * `*` stands for what a client may have written. It has no label, so no output can refer to it. A value crafted to look like
 * another row can therefore make a message wrong, and never make it tell anything.
 *
 * Why it ends soon: a row has at most one `*`, found by one lastIndexOf and never by a regular expression; the patterns of
 * the holes are unambiguous next to the text that follows them, so the rest is read once from left to right.
 */

/** A text that stays as it is, or a text and what it becomes. `<label>` is a hole (see HOLES), `*` is dropped. */
type Row = string | readonly [pattern: string, output: string];

const SYNTAX: readonly Row[] = [
  'Syntax Error: Expected <token>, found <found>.',
  ['Syntax Error: Expected <token>, found <found> "*".', 'Syntax Error: Expected <token>, found <found>.'],
  'Syntax Error: Unexpected <token>.',
  ['Syntax Error: Unexpected <token> "*".', 'Syntax Error: Unexpected <token>.'],
  ['Syntax Error: Unexpected variable "*" in constant value.', 'Syntax Error: Unexpected variable in constant value.'],
  'Syntax Error: Unexpected description, descriptions are not supported on shorthand queries.',
  'Syntax Error: Unexpected description, only GraphQL definitions support descriptions.',
  [
    'Syntax Error: Name "*" is reserved and cannot be used for an enum value.',
    'Syntax Error: Name is reserved and cannot be used for an enum value.',
  ],
  `Syntax Error: Unexpected single quote character ('), did you mean to use a double quote (")?`,
  ['Syntax Error: Unexpected character: *.', 'Syntax Error: Unexpected character.'],
  ['Syntax Error: Invalid character: *.', 'Syntax Error: Invalid character.'],
  [
    'Syntax Error: Invalid number, unexpected digit after 0: *.',
    'Syntax Error: Invalid number, unexpected digit after 0.',
  ],
  ['Syntax Error: Invalid number, expected digit but got: *.', 'Syntax Error: Invalid number, expected digit.'],
  ['Syntax Error: Invalid character within String: *.', 'Syntax Error: Invalid character within String.'],
  ['Syntax Error: Invalid Unicode escape sequence: *.', 'Syntax Error: Invalid Unicode escape sequence.'],
  ['Syntax Error: Invalid character escape sequence: *.', 'Syntax Error: Invalid character escape sequence.'],
  'Syntax Error: Unterminated string.',
  'Syntax Error: Document contains more than <limit> comments. Parsing aborted.',
  'Syntax Error: Document contains more that <limit> tokens. Parsing aborted.',
  'Syntax Error: Source contains more than <limit> UTF-16 code units. Parsing aborted.',
];

/** What a scalar or an enum says, of a literal in the document and of a value in the variables. */
const COERCION: readonly Row[] = [
  ['Int cannot represent non-integer value: *', 'Int cannot represent non-integer value.'],
  ['Int cannot represent non 32-bit signed integer value: *', 'Int cannot represent non 32-bit signed integer value.'],
  ['Float cannot represent non numeric value: *', 'Float cannot represent non numeric value.'],
  ['String cannot represent a non string value: *', 'String cannot represent a non string value.'],
  ['String cannot represent value: *', 'String cannot represent value.'],
  ['Boolean cannot represent a non boolean value: *', 'Boolean cannot represent a non boolean value.'],
  [
    'ID cannot represent a non-string and non-integer value: *',
    'ID cannot represent a non-string and non-integer value.',
  ],
  ['ID cannot represent value: *', 'ID cannot represent value.'],
  [
    'Enum "<name>" cannot represent non-string value: *.<suggestions>',
    'Enum "<name>" cannot represent non-string value.<suggestions>',
  ],
  [
    'Enum "<name>" cannot represent non-enum value: *.<suggestions>',
    'Enum "<name>" cannot represent non-enum value.<suggestions>',
  ],
  ['Enum "<name>" cannot represent value: *', 'Enum "<name>" cannot represent value.'],
  ['Value "*" does not exist in "<name>" enum.<suggestions>', 'Value does not exist in "<name>" enum.<suggestions>'],
];

const VALIDATION: readonly Row[] = [
  'The schema definition is not executable.',
  'The "<name>" definition is not executable.',
  'There can be only one operation named "<operation>".',
  'There can be only one fragment named "<fragment>".',
  'There can be only one variable named "$<variable>".',
  'There can be only one argument named "<argument>".',
  'There can be only one input field named "<field>".',
  'This anonymous operation must be the only defined operation.',
  'Subscription "<operation>" must select only one top level field.',
  'Anonymous Subscription must select only one top level field.',
  'Subscription "<operation>" must not select an introspection top level field.',
  'Anonymous Subscription must not select an introspection top level field.',
  'Unknown type "<name>".<suggestions>',
  'Fragment "<fragment>" cannot condition on non composite type "<type>".',
  'Fragment cannot condition on non composite type "<type>".',
  'Variable "$<variable>" cannot be non-input type "<type>".',
  'Field "<field>" must not have a selection since type "<type>" has no subfields.',
  'Field "<field>" of type "<type>" must have a selection of subfields. Did you mean "<field> { ... }"?',
  'Field "<field>" of type "<type>" must have at least one field selected.',
  'Cannot query field "<field>" on type "<name>".<suggestions>',
  'Unknown fragment "<fragment>".',
  'Fragment "<fragment>" is never used.',
  'Fragment "<fragment>" cannot be spread here as objects of type "<parent>" can never be of type "<name>".',
  'Fragment cannot be spread here as objects of type "<parent>" can never be of type "<name>".',
  'Cannot spread fragment "<fragment>" within itself.',
  'Cannot spread fragment "<fragment>" within itself via <names>.',
  'Variable "$<variable>" is not defined by operation "<operation>".',
  'Variable "$<variable>" is not defined.',
  'Variable "$<variable>" is never used in operation "<operation>".',
  'Variable "$<variable>" is never used.',
  'Unknown directive "@<directive>".',
  'Directive "@<directive>" may not be used on <location>.',
  'The directive "@<directive>" can only be used once at this location.',
  'Unknown argument "<argument>" on field "<parent>.<field>".<suggestions>',
  'Unknown argument "<argument>" on directive "@<directive>".<suggestions>',
  'Field "<field>" argument "<argument>" of type "<type>" is required, but it was not provided.',
  'Directive "@<directive>" argument "<argument>" of type "<type>" is required, but it was not provided.',
  'Field "<parent>.<field>" of required type "<type>" was not provided.',
  'Field "<field>" is not defined by type "<name>".<suggestions>',
  'Field "<parent>.<field>" must be non-null.',
  'OneOf Input Object "<name>" must specify exactly one key.',
  'Expected value of type "<type>", found null.',
  ['Expected value of type "<type>", found *', 'Expected value of type "<type>".'],
  'Variable "$<variable>" of type "<type>" used in position expecting type "<expected>".',
  'Variable "$<variable>" is of type "<type>" but must be non-nullable to be used for OneOf Input Object "<name>".',
  'Fields "<field>" conflict because <conflict>. Use different aliases on the fields to fetch both if this was intentional.',
  // graphql-js cuts the reason, and a name in it, after 1,000 characters.
  [
    'Fields "<field>" conflict because *. Use different aliases on the fields to fetch both if this was intentional.',
    'Fields "<field>" conflict. Use different aliases on the fields to fetch both if this was intentional.',
  ],
  [
    'Fields "*. Use different aliases on the fields to fetch both if this was intentional.',
    'Fields conflict. Use different aliases on the fields to fetch both if this was intentional.',
  ],
  'Maximum introspection depth exceeded',
  'GraphQL introspection has been disabled, but the requested query contained the field "<field>".',
  'Too many validation errors, error limit reached. Validation aborted.',
  'Validation aborted.',
];

const EXECUTION: readonly Row[] = [
  'Must provide an operation.',
  'Must provide operation name if query contains multiple operations.',
  ['Unknown operation named "*".', 'Unknown operation name.'],
  'Schema is not configured to execute <kind> operation.',
  'The subscription field "<field>" is not defined.',
  'Variable "$<variable>" expected value of type "<type>" which cannot be used as an input type.',
  'Variable "$<variable>" of required type "<type>" was not provided.',
  'Variable "$<variable>" of non-null type "<type>" must not be null.',
  'Too many errors processing variables, error limit reached. Execution aborted.',
  'Argument "<argument>" of required type "<type>" was not provided.',
  'Argument "<argument>" of required type "<type>" was provided the variable "$<variable>" which was not provided a runtime value.',
  'Argument "<argument>" of non-null type "<type>" must not be null.',
  ['Argument "<argument>" has invalid value *.', 'Argument "<argument>" has an invalid value.'],
];

/** The first half of what is said of a bad variable, which quotes the whole value. */
const VARIABLE: readonly Row[] = [
  ['Variable "$<variable>" got invalid value * at "<path>"', 'Variable "$<variable>" got an invalid value at "<path>"'],
  ['Variable "$<variable>" got invalid value *', 'Variable "$<variable>" got an invalid value at "<variable>"'],
];

/** The second half. Keys of the variables are values here: a client may have put one in the place of the other. */
const VARIABLE_REASON: readonly Row[] = [
  ...COERCION,
  'Expected non-nullable type "<type>" not to be null.',
  'Expected type "<name>" to be an object.',
  'Expected type "<name>".',
  ['Expected type "<name>". *', 'Expected type "<name>".'],
  'Field "<field>" of required type "<type>" was not provided.',
  [
    'Field "*" is not defined by type "<name>".<suggestions>',
    'it has a field that is not defined by type "<name>".<suggestions>',
  ],
  'Exactly one key must be specified for OneOf type "<name>".',
  'Field "<field>" must be non-null.',
  // @graphql-tools/executor, validateInputValue.js
  'Expected a value of non-null type "<type>" to be provided.',
  'Expected value of non-null type "<type>" not to be null.',
  ['Expected value of type "<type>" to be an object, found: *.', 'Expected value of type "<type>" to be an object.'],
  [
    'Expected value of type "<type>" to include required field "<field>", found: *.',
    'Expected value of type "<type>" to include required field "<field>".',
  ],
  [
    'Expected value of type "<type>" not to include unknown field "*.',
    'Expected value of type "<type>" not to include unknown fields.',
  ],
  ['Expected value of type "<type>", found: *.', 'Expected value of type "<type>".'],
  ['Expected value of type "<type>", but encountered error "*.', 'Expected value of type "<type>".'],
  'Within OneOf Input Object type "<name>", exactly one field must be specified, and the value for that field must be non-null.',
];

interface Names {
  inSchema(name: string): boolean;
  /** In the schema, or in a name position of the document. */
  known(name: string): boolean;
}

interface Hole {
  readonly pattern: string;
  /** What is put in the hole's place, undefined when something in it cannot be vouched for. */
  rebuild(text: string, names: Names): string | undefined;
}

const NAME = '[_A-Za-z][_0-9A-Za-z]*';
const TYPE = `\\[*${NAME}[\\]!]*`;
const SUBFIELDS = `subfields "${NAME}" conflict because `;
const REASON = `(?:"${NAME}" and "${NAME}" are different fields|they have differing arguments|they return conflicting types "${TYPE}" and "${TYPE}")`;

const words = (alternation: string): Hole => ({ pattern: alternation, rebuild: (text) => text });

/** The parts of the text that `part` picks must be known names; the pattern has fixed everything around them. */
const namesIn = (pattern: string, part: RegExp): Hole => ({
  pattern,
  rebuild: (text, names) => ((text.match(part) ?? []).every((each) => names.known(each)) ? text : undefined),
});

const ANY_NAME = new RegExp(NAME, 'g');
const QUOTED_NAME = new RegExp(`(?<="\\[*)${NAME}(?=[\\]!]*")`, 'g');
const oneName = namesIn(NAME, ANY_NAME);
const token = words(
  '<EOF>|Name|Int|Float|String|BlockString|"(?:\\.{1,3}|[!$&():=@[\\]{|}]|schema|scalar|type|interface|union|enum|input|directive|extend|fragment|on)"',
);

const suggestions: Hole = {
  pattern: `(?: Did you mean (?:the enum value |to use an inline fragment on )?"${NAME}"(?:, "${NAME}")*(?:,? or "${NAME}")?\\?)?`,
  rebuild(text, names) {
    const end = text.indexOf('"');
    const kept = (text.slice(end).match(QUOTED_NAME) ?? []).filter((suggested) => names.inSchema(suggested));
    const last = kept.pop();
    if (last === undefined) return '';
    const others = kept.map((other) => `"${other}"`).join(', ');
    return `${text.slice(0, end)}${others}${['', ' or ', ', or '][Math.min(kept.length, 2)]}"${last}"?`;
  },
};

const HOLES: Readonly<Record<string, Hole>> = {
  name: oneName,
  argument: oneName,
  directive: oneName,
  field: oneName,
  fragment: oneName,
  operation: oneName,
  parent: oneName,
  variable: oneName,
  type: namesIn(TYPE, ANY_NAME),
  expected: namesIn(TYPE, ANY_NAME),
  names: namesIn(`"${NAME}"(?:, "${NAME}")*`, ANY_NAME),
  path: namesIn(`${NAME}(?:\\.${NAME}|\\[[0-9]{1,7}\\])*`, ANY_NAME),
  conflict: namesIn(`(?:${SUBFIELDS})*${REASON}(?: and (?:${SUBFIELDS})+${REASON})*`, QUOTED_NAME),
  suggestions,
  token,
  found: token,
  kind: words('query|mutation|subscription'),
  location: words(Object.values(DirectiveLocation).join('|')),
  limit: words('[0-9]{1,7}'),
};

interface Parser {
  readonly output: string;
  readonly labels: readonly string[];
  /** Up to `*`, or the whole text. */
  readonly start: RegExp;
  /** From the last `anchor` on, which is the first thing the pattern says after `*`. */
  readonly rest: { readonly anchor: string; readonly end: RegExp } | undefined;
}

function compile(row: Row): Parser {
  const [pattern, output] = typeof row === 'string' ? [row, row] : row;
  const [before = '', after, ...more] = pattern.split('*');
  const labels: string[] = [];
  const source = (part: string) =>
    part
      .split(/<([a-z]+)>/)
      .map((piece, index) => {
        if (index % 2 === 0) return piece.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
        labels.push(piece);
        return `(${HOLES[piece]?.pattern})`;
      })
      .join('');
  const start = new RegExp(`^${source(before)}${after === undefined ? '$' : ''}`);
  const anchor = after?.split('<', 1)[0];
  const rest = anchor === undefined ? undefined : { anchor, end: new RegExp(`^${source(after ?? '')}$`) };
  if (more.length > 0 || (anchor === '' && after !== '') || labels.some((label) => HOLES[label] === undefined)) {
    throw new Error(`cannot read the row ${pattern}`);
  }
  return { output, labels, start, rest };
}

function rebuild(text: string, parsers: readonly Parser[], names: Names): string | undefined {
  for (const parser of parsers) {
    const found = captures(text, parser);
    if (found === undefined) continue;
    const filled = new Map(
      parser.labels.map((label, index) => [label, HOLES[label]?.rebuild(found[index] ?? '', names)]),
    );
    if ([...filled.values()].includes(undefined)) continue;
    return parser.output.replace(/<([a-z]+)>/g, (_, label: string) => filled.get(label) ?? '');
  }
  return undefined;
}

function captures(text: string, { start, rest }: Parser): string[] | undefined {
  const head = start.exec(text);
  if (head === null) return undefined;
  if (rest === undefined) return head.slice(1);
  const at = rest.anchor === '' ? text.length : text.lastIndexOf(rest.anchor);
  if (at < head[0].length) return undefined;
  const tail = rest.end.exec(text.slice(at));
  return tail === null ? undefined : [...head.slice(1), ...tail.slice(1)];
}

const SENTENCES = [...SYNTAX, ...COERCION, ...VALIDATION, ...EXECUTION].map(compile);
const VARIABLE_SENTENCES = VARIABLE.map(compile);
const VARIABLE_REASONS = VARIABLE_REASON.map(compile);

/**
 * The error's text rebuilt from fixed words, schema names and names in name positions of the document; undefined when the
 * text is none that is known.
 */
export function safeMessage(error: GraphQLError, schema: GraphQLSchema): string | undefined {
  const inSchema = (name: string) => schemaNames(schema).has(name);
  const names: Names = { inSchema, known: (name) => inSchema(name) || documentNames(error.source).has(name) };
  return badVariable(error, names) ?? rebuild(error.message, SENTENCES, names);
}

/** `Variable "$input" got invalid value {…} at "input.name"; <the message of the original error>` */
function badVariable({ message, originalError }: GraphQLError, names: Names): string | undefined {
  const reason = originalError?.message;
  const told = reason !== undefined && message.endsWith(`; ${reason}`);
  // Where the reason cannot be cut off, what stands at the end is no path.
  const sentence = told
    ? rebuild(message.slice(0, -reason.length - 2), VARIABLE_SENTENCES, names)
    : rebuild(message, VARIABLE_SENTENCES.slice(1), names);
  if (sentence === undefined) return undefined;
  const safeReason = told ? rebuild(reason, VARIABLE_REASONS, names) : undefined;
  return safeReason === undefined ? `${sentence}.` : `${sentence}; ${safeReason}`;
}

const bySchema = new WeakMap<GraphQLSchema, ReadonlySet<string>>();

function schemaNames(schema: GraphQLSchema): ReadonlySet<string> {
  const known = bySchema.get(schema);
  if (known !== undefined) return known;
  const names = new Set<string>();
  for (const directive of schema.getDirectives()) {
    names.add(directive.name);
    for (const argument of directive.args) names.add(argument.name);
  }
  for (const type of Object.values(schema.getTypeMap())) {
    names.add(type.name);
    if (isEnumType(type)) for (const value of type.getValues()) names.add(value.name);
    if (isInputObjectType(type)) for (const field of Object.keys(type.getFields())) names.add(field);
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        names.add(field.name);
        for (const argument of field.args) names.add(argument.name);
      }
    }
  }
  bySchema.set(schema, names);
  return names;
}

/** Above it a document's own names are not vouched for, so that reading it once more stays cheap. */
const TOKEN_LIMIT = 50_000;

const NO_NAMES: ReadonlySet<string> = new Set();
const bySource = new WeakMap<Source, ReadonlySet<string>>();

/**
 * Read from the source, not from the error's nodes: some rules name an operation or a directive that stands outside of them,
 * and the same large node may come with every error of a document.
 */
function documentNames(source: Source | undefined): ReadonlySet<string> {
  if (source === undefined) return NO_NAMES;
  const known = bySource.get(source);
  if (known !== undefined) return known;
  const names = new Set<string>();
  try {
    visit(parse(source, { noLocation: true, maxTokens: TOKEN_LIMIT }), {
      Name(node) {
        names.add(node.value);
      },
    });
  } catch {
    // A document that cannot be read has no name positions.
  }
  bySource.set(source, names);
  return names;
}
