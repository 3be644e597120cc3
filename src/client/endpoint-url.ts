/**
 * The URL of the GraphQL endpoint.
 * @param url of the gateway, with or without `/graphql`; in a browser also relative to the page
 * @throws TypeError without the URL in it, which may hold a password
 */
export function endpointUrl(url: string): string {
  const page = (globalThis as { location?: { href: string } }).location?.href;
  const parsed = URL.canParse(url, page) ? new URL(url, page) : null;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new TypeError('url must be an http or https URL, such as "https://secrets.example.com".');
  }
  if (parsed.username || parsed.password || parsed.search || parsed.hash) {
    throw new TypeError('url must have no user, password, query or fragment. Give credentials as token or apiKey.');
  }
  const path = parsed.pathname.replace(/\/+$/, '');
  return parsed.origin + (path.endsWith('/graphql') ? path : `${path}/graphql`);
}
