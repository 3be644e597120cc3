/**
 * The path of the first member that an object of a JSON text has twice, or null. JSON.parse takes the later one, and whoever
 * reads the file may see only the earlier.
 * @param json a text that JSON.parse accepts
 */
export function repeatedMember(json: string): readonly PropertyKey[] | null {
  /** The objects and lists around the place: the names that an object had so far, or null, and where in it the place is. */
  const around: { names: Set<string> | null; at: PropertyKey }[] = [];
  for (const { 0: token, 1: colon } of json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\],]/g)) {
    const inner = around.at(-1);
    if (token === '{') around.push({ names: new Set(), at: '' });
    else if (token === '[') around.push({ names: null, at: 0 });
    else if (token === '}' || token === ']') around.pop();
    else if (token === ',' && typeof inner?.at === 'number') inner.at += 1;
    else if (colon !== undefined && inner?.names) {
      // In one form: "a" may be written as "\u0061".
      inner.at = String(JSON.parse(token.slice(0, -colon.length)));
      if (inner.names.has(inner.at)) return around.map(({ at }) => at);
      inner.names.add(inner.at);
    }
  }
  return null;
}
