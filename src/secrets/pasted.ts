import { readPem } from './pem.ts';

export type PastedType =
  | 'trailing_newline'
  | 'surrounding_space'
  | 'quotes'
  | 'assignment'
  | 'header'
  | 'authentication_scheme';

const quotePairs = ['""', "''", '``', '“”', '„“', '””', '‘’', '‚‘', '’’', '«»'];

/** What is copied before a value, in a shell, a file of settings, YAML, JSON or HTTP. All are linear in the text. */
const prefixes: readonly (readonly [PastedType, RegExp])[] = [
  [
    'assignment',
    /^(?:export|setx?|setenv|declare -x|env|const|let|var|\$env:)\s{0,9}["']?[a-z_]\w{0,254}["']?(?:\s{0,9}=|\s)\s{0,9}(?=[^=\s])/i,
  ],
  // The name of an environment variable. With other names connection strings begin, too.
  ['assignment', /^["']?[A-Z_][A-Z0-9_]{2,254}["']?(?:\s{0,9}=\s{0,9}|\s{0,9}:\s{1,9}|:(?=["']))(?=[^=\s])/],
  [
    'assignment',
    /^["']?(?:(?:access|api|auth|client|private|secret)[ _-]?)?(?:key|password|passwd|secret|token)["']?\s{0,9}[:=]\s{0,9}(?=[^=\s])/i,
  ],
  [
    'header',
    /^(?:(?:-H|--header)[ =]?["']?)?(?:(?:proxy-)?authorization|(?:[a-z0-9]{1,20}-){0,4}(?:api-?key|token))\s{0,9}:\s{0,9}(?=\S)/i,
  ],
  [
    'authentication_scheme',
    /^(?:bearer|basic|token|api-?key|bot|digest|dpop|genie-?key|key|negotiate|ssws)\s{1,9}(?=[^\s"'=][^\s"']*$)/i,
  ],
];

/** Layers that are removed from around a value; a text of quotes alone would have more. */
const maxLayers = 8;

/** What looks pasted with a value, and the value without it. */
export function unwrap(value: string): { readonly types: readonly PastedType[]; readonly core: string } {
  const types: PastedType[] = [];
  let core = value;
  for (let depth = 0; depth < maxLayers; depth += 1) {
    const layer = outermost(core);
    if (!layer) break;
    types.push(layer.type);
    core = layer.inner;
  }
  return { types, core };
}

function outermost(text: string): { type: PastedType; inner: string } | null {
  // Files of this kind end with a line end.
  if (readPem(text)) return null;
  const trimmed = text.trim();
  if (trimmed !== text) {
    const type = /[\r\n]/.test(text.slice(text.trimEnd().length)) ? 'trailing_newline' : 'surrounding_space';
    return { type, inner: type === 'trailing_newline' ? text.trimEnd() : trimmed };
  }
  const statement = text.replace(/[,;]$/, '');
  const [first, last] = [statement.at(0), statement.length > 1 ? statement.at(-1) : ''];
  if (quotePairs.some((pair) => pair[0] === first && pair[1] === last)) {
    const quoted = statement.slice(1, -1);
    const bare = quoted.replaceAll(/\\./g, '');
    if (!bare.includes(first ?? '') && !bare.includes(last ?? '')) return { type: 'quotes', inner: quoted };
  }
  for (const [type, prefix] of prefixes) {
    const length = prefix.exec(text)?.[0].length ?? 0;
    if (length > 0) return { type, inner: text.slice(length) };
  }
  return null;
}
