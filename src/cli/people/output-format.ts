export const outputFormats = ['env', 'json', 'yaml'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** @param values in the order of their names. For `env` all of them are names of variables, and no value has a NUL */
export function formatValues(values: ReadonlyMap<string, string>, format: OutputFormat): string {
  const entries = [...values];
  switch (format) {
    case 'env':
      return entries.map(([name, value]) => `${name}=${shellWord(value)}\n`).join('');
    case 'json':
      return `{${entries.map(([name, value]) => `\n  ${literal(name)}: ${literal(value)}`).join(',')}\n}\n`;
    case 'yaml':
      // A JSON string is a double-quoted scalar of YAML 1.2, and means the same in it.
      return entries.length === 0
        ? '{}\n'
        : entries.map(([name, value]) => `${literal(name)}: ${literal(value)}\n`).join('');
  }
}

/** Between single quotes a shell expands nothing, and no line has another meaning. */
function shellWord(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** What YAML does not let stand in a text, and what moves the cursor of a terminal. */
const unwritable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff\p{Cf}]/gu;

function literal(text: string): string {
  return JSON.stringify(text).replace(unwritable, (found) =>
    Array.from({ length: found.length }, (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}
