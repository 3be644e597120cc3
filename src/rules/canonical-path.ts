/**
 * One form for each path of a URL (RFC 3986, section 6.2.2): letters, digits and `.~_-` are never encoded, hexadecimal digits are in
 * upper case. Destinations are stored and requests are compared in it.
 */
export function canonicalPath(path: string): string {
  return path.replaceAll(/%[\da-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : encoded.toUpperCase();
  });
}
