/** The names in a text, separated by spaces or commas. A tab or a line end is no separator: such a name is not understood. */
export function namesIn(text: string): string[] {
  return text.split(/[ ,]+/).filter(Boolean);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** In a claim that is an object the names are its keys, and `"name": false` must not grant what it takes away. */
export function isSwitchedOff(value: unknown): boolean {
  if (typeof value === 'string') return /^(|0|false|no|off|none)$/i.test(value.trim());
  return value === null || value === false || value === 0;
}
