/** Where an upstream is, and where it is reached through the broker. */
export interface Place {
  readonly origin: string;
  /** What was asked for there: links without an origin are resolved by it. */
  readonly path: string;
  readonly useUrl: string;
}

/**
 * The value of a header of an answer, with links to the upstream itself as links through the broker. SDKs follow them, to the next
 * page for instance, with their credential: at the upstream it would be the gateway's, and of no use. Links to other origins stay.
 * @param name in lower case
 */
export function linkedThroughBroker(name: string, value: string, place: Place): string {
  if (name === 'location') return throughBroker(value, place) ?? value;
  if (name !== 'link' || !value.includes('<')) return value;
  return value.replaceAll(/<([^<>]*)>/g, (link, target: string) => {
    const through = throughBroker(target, place);
    return through === null ? link : `<${through}>`;
  });
}

/**
 * Links without an origin, too: a client would resolve them at the gateway, where they lead to other routes, and to other secrets.
 * @returns null for other origins, and for what is no link
 */
function throughBroker(target: string, { origin, path, useUrl }: Place): string | null {
  const url = target === '' ? null : URL.parse(target, `${origin}${path}`);
  if (!url || url.origin !== origin || url.username !== '' || url.password !== '') return null;
  return `${useUrl}${url.pathname}${url.search}${url.hash}`;
}
