import fc from 'fast-check';

// Documents for the faulty schema. They need not be valid: both engines must make the same of any.

const leaves = [
  'text',
  'int',
  'float',
  'yes',
  'id',
  'color',
  'odd',
  'oddNeeded',
  'texts',
  'ints',
  'matrix',
  '__typename',
];
const objects = ['node', 'nodeNeeded', 'nodes', 'nodesNeeded', 'checked', 'animal', 'animals', 'named'];
const types = ['Node', 'Checked', 'Cat', 'Animal', 'Named', 'Query', 'Color', 'Nowhere'];

const alias = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom('a: ', 'b: ', 'constructor: ', 'toString: ', 'toJSON: ') },
);
const directive = fc.oneof(
  { weight: 12, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ' @skip(if: true)',
      ' @skip(if: false)',
      ' @include(if: true)',
      ' @include(if: false)',
      ' @skip(if: false) @include(if: false)',
      ' @include(if: true) @skip(if: true)',
    ),
  },
);
const value = fc.constantFrom(
  ...[
    'int: 1',
    'int: $int',
    'int: null',
    'int: "no"',
    'int: $none',
    'text: "x"',
    'text: $text',
    'needed: $int',
    'needed: null',
  ],
  ...[
    'needed: 2',
    'input: {}',
    'input: {a: $int, b: "y"}',
    'input: $input',
    'input: {b: null}',
    'input: {list: [1, $int]}',
  ],
  ...[
    'list: [1, 2]',
    'list: 1',
    'list: [$int]',
    'list: $list',
    'color: RED',
    'color: GREEN',
    'color: $color',
    'odd: "throws"',
  ],
  ...['odd: {a: [1]}', 'odd: $odd', 'odd: 5'],
);
const given = fc.array(value, { maxLength: 3 }).map((values) => (values.length > 0 ? `(${values.join(', ')})` : ''));

const { selection } = fc.letrec<{ selection: string; set: string }>((tie) => ({
  set: fc.array(tie('selection'), { minLength: 1, maxLength: 5 }).map((all) => `{ ${all.join(' ')} }`),
  selection: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 6, arbitrary: fc.tuple(alias, fc.constantFrom(...leaves), directive).map((parts) => parts.join('')) },
    {
      weight: 1,
      arbitrary: fc.tuple(alias, fc.constantFrom('told', 'called'), given, directive).map((parts) => parts.join('')),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom('...A', '...B', '...C', '...D'), directive).map((parts) => parts.join('')),
    },
    {
      weight: 6,
      arbitrary: fc.tuple(alias, fc.constantFrom(...objects), directive, tie('set')).map((parts) => parts.join(' ')),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(alias, fc.constant('toldNeeded'), given, tie('set')).map((parts) => parts.join(' ')),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom('...', ...types.map((type) => `... on ${type}`)), directive, tie('set'))
        .map((parts) => parts.join(' ')),
    },
  ),
}));

const set = fc.array(selection, { minLength: 1, maxLength: 6 }).map((all) => `{ ${all.join(' ')} }`);

/** Each spreads those after it alone, so that none spreads itself. */
const fragments = fc.array(fc.tuple(fc.constantFrom(...types), set), { minLength: 3, maxLength: 3 }).map((all) =>
  all.map(([type, text], index) => {
    const spread = new RegExp(`\\.\\.\\.[A-${'ABC'[index]}]\\b`, 'g');
    return `fragment ${'ABC'[index]} on ${type} ${text.replace(spread, '__typename')}`;
  }),
);

export const anyDocument = fc
  .tuple(fc.constantFrom('query', 'query', 'mutation'), set, fragments)
  .map(
    ([kind, text, others]) =>
      `${kind} Q($int: Int, $text: String = "d", $input: Input, $list: [Int], $color: Color = RED, $odd: Odd, $none: Int) ${text} ${others.join(' ')}`,
  );

export const anyVariables = fc.record(
  {
    int: fc.constantFrom(1, 2, null, 'no', 1.5),
    text: fc.constantFrom('t', null),
    input: fc.constantFrom(
      {},
      { a: 1, b: 'x' },
      { b: null },
      { inner: { inner: { list: [1, 2] } } },
      { no: 1 },
      { odd: 'nothing' },
      null,
      [],
    ),
    list: fc.constantFrom([1, null], 1, [], ['no'], null),
    color: fc.constantFrom('RED', 'GREEN', 'NO', null),
    odd: fc.constantFrom('x', 'throws', 'nothing', { a: 1 }, null),
  },
  { requiredKeys: [] },
);
