/** Why clients cannot reach a gateway by this URL, or put a path behind it, with the fix; null where they can. */
export function faultOfPublicUrl(text: string): string | null {
  const url = /^https?:\/\/[^\\]*$/i.test(text) ? URL.parse(text) : null;
  if (!url)
    return 'must be the https: or http: URL that clients reach the gateway by, as in https://secrets.example.com.';
  if (url.username || url.password)
    return 'must not contain a user or a password: every client sees it. Leave them out.';
  if (/[?#]/.test(text))
    return 'must not contain a query or a fragment, since clients put paths behind it. Leave them out.';
  if (/\/graphql\/*$/i.test(url.pathname))
    return 'must be without /graphql: clients put that and other paths behind it.';
  return null;
}
