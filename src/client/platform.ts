/** @throws Error on a page that was loaded over plain HTTP, where browsers have no cryptography */
export function requireCrypto(): void {
  if (globalThis.crypto?.subtle === undefined) {
    throw new Error('This page has no Web Cryptography. Browsers have it on pages over HTTPS and on localhost only.');
  }
}

/** Chromium has X25519 since version 133. */
export async function hasX25519(): Promise<boolean> {
  requireCrypto();
  return crypto.subtle.generateKey('X25519', false, ['deriveBits']).then(
    () => true,
    () => false,
  );
}
