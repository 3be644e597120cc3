/**
 * Whether a text is base64url without padding in its one canonical form (RFC 4648, section 3.5). Other forms decode to the
 * same bytes, and would let one token, cursor or envelope appear as many.
 */
export function isCanonicalBase64url(text: string): boolean {
  return Buffer.from(text, 'base64url').toString('base64url') === text;
}
