/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(host);
}

/** Whether nobody on the way can replace what is fetched from there. @param allowHttp a network where nobody would */
export function isSecureUrl(text: string, allowHttp = false): boolean {
  const url = URL.parse(text);
  if (!url || url.username || url.password) return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && (allowHttp || isLoopback(url.hostname.replace(/^\[|\]$/g, '')));
}

/** Whether an issuer's keys can be found by its name (OpenID Connect Discovery 1.0, section 2). */
export function isDiscoverable(issuer: string, allowHttp = false): boolean {
  return isSecureUrl(issuer, allowHttp) && !/[?#]/.test(issuer);
}
