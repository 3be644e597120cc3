// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these values must not be interpreted as templates
const base64 = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n'.repeat(20);
const maxBytes = 64 * 1024;
const allOf = (from: number, to: number) =>
  String.fromCodePoint(...Array.from({ length: to - from + 1 }, (_, index) => from + index));

/** Values that something on the way might trim, normalise, cut, interpret or replace. Each must arrive byte by byte. */
export const awkwardValues: readonly string[] = [
  // Files
  `-----BEGIN PRIVATE KEY-----\n${base64}-----END PRIVATE KEY-----\n`,
  `-----BEGIN PRIVATE KEY-----\r\n${base64.replaceAll('\n', '\r\n')}-----END PRIVATE KEY-----\r\n`,
  `-----BEGIN OPENSSH PRIVATE KEY-----\n${base64}-----END OPENSSH PRIVATE KEY-----`,
  JSON.stringify({
    type: 'service_account',
    private_key: '-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n',
  }),
  'apiVersion: v1\nusers:\n  - name: "x"\n    user:\n      token: y\n',
  'A=1\nB="two words"\n# a comment\n',
  '<?xml version="1.0"?><a b="c">&amp;</a>',
  'machine example.com login ada password secret\n',
  // Spaces and ends of lines
  ' ',
  '\t',
  '\n',
  '\r',
  '\r\n',
  ' both ends ',
  'one line\n',
  'two lines\n\n',
  '\n\nbefore',
  'mixed\rends\nof\r\nlines',
  '\u00a0\u2007\u202f',
  '\u2028\u2029\u0085',
  // Bytes that end or begin texts
  '\u0000',
  'before\u0000after',
  '\u0000\u0000\u0000',
  '\ufeff',
  '\ufeffwith a byte order mark',
  '\ufeff\ufefftwice',
  'in the \ufeff middle',
  allOf(0x01, 0x1f),
  '\u007f',
  allOf(0x80, 0x9f),
  '\u001b[31mred\u001b[0m\u0007',
  '\u001a',
  // The edges of Unicode
  '\u00ff',
  '\u0100\u07ff\u0800',
  '\ud7ff\ue000',
  '\ufffd',
  '\ufffe\uffff',
  '\u{10000}\u{10ffff}',
  '\u{f0000}\u{100000}',
  '\u{e0001}\u{e0020}',
  // Texts that normalisation changes
  'é and e\u0301',
  '\u1112\u1161\u11ab',
  '\u212b\u2126\uf900',
  'ﬁ ½ ①',
  'İıſß',
  // Scripts and emoji
  '👩🏽‍🚀👨‍👩‍👧‍👦🏳️‍🌈',
  '🇩🇪🏴󠁧󠁢󠁳󠁣󠁴󠁿',
  'שלום \u202eevil\u202c العربية',
  'क्‍ष می‌خواهم',
  `Z${'\u0301'.repeat(50)}`,
  '\u200b\u200d\u2060',
  // What looks like something else
  'null',
  '0',
  '{"value":"\\u0041\\n"}',
  '"quoted"',
  "it's \\ a `back`slash \\n",
  '${HOME} $(id) {{ NAME }} %s %00 &lt;',
  'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.',
  'postgres://ada:p%40ss@db.example.com:5432/app?sslmode=require#x',
  // The largest
  'x'.repeat(maxBytes),
  '🔑'.repeat(maxBytes / 4),
  `${'\u0000'.repeat(maxBytes - 1)}\n`,
];
