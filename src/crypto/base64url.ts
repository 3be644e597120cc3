/**
 * Whether a text is base64url without padding in its one canonical form (RFC 4648, section 3.5). Other forms decode to the
 * same bytes, and would let one token, cursor or envelope appear as many.
 */
export function isCanonicalBase64url(text: string): boolean {
  return decodeBase64url(text) !== null;
}

/** @returns null for another form than the canonical one */
export function decodeBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}
