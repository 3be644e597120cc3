/**
 * Origins of pages (RFC 6454, section 6.2) as a setting names them: `https://app.example.com`, `capacitor://localhost`, or with
 * a wildcard for all names below a domain: `https://*.example.com`.
 */

const pattern = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?([^/?#@\s\\]+?)(?::(\d{1,5}))?$/;
const wildcardLabels = '(?:[a-z0-9_-]{1,63}\\.){1,10}';

/** Why no browser ever sends an origin that this names, with the fix; null when one may. */
export function faultOfOrigin(text: string): string | null {
  if (text === '*')
    return 'is *, which would let every page in. Name each origin; https://*.example.com names all below a domain.';
  if (text === 'null')
    return 'is null, which sandboxed pages of anybody send. Serve the page from an origin of its own.';
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return 'has no scheme. Write it as https://app.example.com.';
  if (/^[^:]*:\/\/[^/?#]*[/?#]/.test(text))
    return 'has a slash, a path or a query after its host. End it with the host or the port.';
  if (text.includes('@')) return 'has a user in it. Leave it out.';
  if (/:(?:\*|\d+\*)$/.test(text)) return 'has a wildcard as its port. Name each port.';
  if (text !== text.toLowerCase())
    return 'has capital letters, and browsers send small ones. Write it in small letters.';
  const [, scheme = '', wildcard, host = '', port] = pattern.exec(text) ?? [];
  if (host === '') return 'is not an origin. Write it as https://app.example.com.';
  if (host.includes('*'))
    return 'has a wildcard that is not the whole first part of its host. Write it as https://*.example.com.';
  if (wildcard !== undefined && !host.includes('.') && host !== 'localhost') {
    return 'has a wildcard for a whole top-level domain. Name the domain, as in https://*.example.com.';
  }
  return faultOfAuthority(scheme, host, port, wildcard !== undefined);
}

/** What the URL parser of browsers would write in another way. */
function faultOfAuthority(scheme: string, host: string, port: string | undefined, wildcard: boolean): string | null {
  const url = URL.parse(`${scheme}://${host}${port === undefined ? '' : `:${port}`}`);
  if (!url) return 'has a host or a port that does not exist. Write it as https://app.example.com.';
  if (wildcard && /^\[|^[\d.]+$/.test(url.hostname)) return 'has a wildcard before an address. Name each address.';
  if (url.hostname !== host) {
    return 'has a host that browsers write in another way, such as xn--… for other letters than a to z. Copy the origin from the browser.';
  }
  if (port !== undefined && url.port !== port) {
    return 'has a port that browsers leave out or write in another way, such as 443 for https. Copy the origin from the browser.';
  }
  return null;
}

/** The test for an Origin header against origins and patterns without a fault. */
export function originMatcher(origins: readonly string[]): (origin: string) => boolean {
  const exact = new Set(origins);
  const patterns = origins
    .filter((origin) => origin.includes('://*.'))
    .map((origin) => {
      const [scheme = '', rest = ''] = origin.split('*.');
      return new RegExp(`^${RegExp.escape(scheme)}${wildcardLabels}${RegExp.escape(rest)}$`);
    });
  // No browser sends a pattern itself.
  return (origin) => (exact.has(origin) && !origin.includes('*')) || patterns.some((one) => one.test(origin));
}
