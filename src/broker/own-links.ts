/** Where an upstream is, and where it is reached through the broker. */
export interface Place {
  readonly origin: string;
  /** What was asked for there: links without an origin are resolved by it. */
  readonly path: string;
  readonly useUrl: string;
  /** The gateway as the client called it: its name need not be that of `useUrl`. */
  readonly gatewayHost: string;
}

/**
 * The value of a header of an answer, with links to the upstream itself and to the gateway as links through the broker.
 *
 * Clients follow links with the gateway's credential. At the upstream it would be of no use, and given away. At the gateway it
 * is good for every route and every other secret, so that an upstream must not choose the path there. It may do so neither with the
 * gateway's origin, nor without an origin, nor with a link that only some clients take for one without: so what is not read by all in
 * the same way is written anew, or does not pass. Links to other origins stay.
 * @param name in lower case
 * @returns null for a header that must not pass
 */
export function linkedThroughBroker(name: string, value: string, place: Place): string | null {
  if (name === 'location') return linkFor(value, place);
  if (name !== 'link') return value;
  if (!linkForm.test(value)) return null;
  let isReadable = true;
  const linked = value.replaceAll(/<([^<>]*)>/g, (_, target: string) => {
    const link = linkFor(target, place);
    isReadable &&= link !== null;
    return `<${link}>`;
  });
  return isReadable ? linked : null;
}

/** All targets in angle brackets (RFC 8288, section 3). Some clients find one without, too. */
const linkForm = /^[\s,]*(?:<[^<>]*>[^<]*)+$/;

/** An absolute link without a user, in which no client finds another host. */
const plainLink = /^https?:\/\/[a-z\d.-]+(?::\d+)?(?:[/?#][!-[\]-~\x80-\xff]*)?$/i;

/** @returns null for what is no link */
function linkFor(target: string, place: Place): string | null {
  // To where the request went.
  if (target === '') return target;
  const { origin, path, useUrl } = place;
  const url = URL.parse(target, `${origin}${path}`);
  if (!url) return null;
  if (url.origin === origin && url.username === '' && url.password === '') return useUrl + locationIn(url);
  if (isAtGateway(url, place)) return useUrl + withoutPrefix(locationIn(url), new URL(useUrl).pathname);
  return plainLink.test(target) ? target : url.href;
}

function locationIn({ pathname, search, hash }: URL): string {
  return `${pathname}${search}${hash}`;
}

/** An upstream may have been told where it is reached through the broker. */
function withoutPrefix(location: string, prefix: string): string {
  const rest = location.startsWith(prefix) ? location.slice(prefix.length) : location;
  return /^[/?#]|^$/.test(rest) ? rest : location;
}

/** By HTTP or HTTPS: some clients keep their credential from one to the other. */
function isAtGateway({ protocol, host }: URL, { useUrl, gatewayHost }: Place): boolean {
  if (protocol !== 'https:' && protocol !== 'http:') return false;
  const named = host.replace(/\.(?=:|$)/, '');
  return [new URL(useUrl).host, gatewayHost].some((own) => URL.parse(`${protocol}//${own}`)?.host === named);
}
