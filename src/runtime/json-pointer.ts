/** A JSON Pointer (RFC 6901), as its reference tokens. */
export type Pointer = readonly string[];

/** Null for text that is no JSON Pointer. */
export function parsePointer(text: string): Pointer | null {
  // Every pointer but that of the whole document begins with a slash, and of ~ there are only ~0 and ~1.
  if (text !== '' && (!text.startsWith('/') || /~(?![01])/.test(text))) return null;
  const tokens = text.split('/').slice(1);
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What a pointer points at; undefined where nothing is. */
export function valueAt(document: unknown, pointer: Pointer): unknown {
  return pointer.reduce<unknown>((value, token) => {
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value)) return /^(0|[1-9]\d*)$/.test(token) ? value[Number(token)] : undefined;
    // A claim may be called like a property of every object.
    return Object.hasOwn(value, token) ? (value as Record<string, unknown>)[token] : undefined;
  }, document);
}

/** The pointer to a place, as text. */
export function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((token) => `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
