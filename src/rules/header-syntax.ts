/** A token (RFC 9110, section 5.6.2). */
const name = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;
/** Bytes as Node reads and writes them, one a character (RFC 9110, section 5.5). Some clients send text in UTF-8. */
const value = /^[\t\x20-\x7e\x80-\xff]*$/;

export function isHeaderName(text: string): boolean {
  return name.test(text);
}

export function isHeaderValue(text: string): boolean {
  return value.test(text);
}
