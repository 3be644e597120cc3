/** Where an upstream is, and where it is reached through the broker. */
export interface Place {
  readonly origin: string;
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

/** Null for other origins, and for paths, which are resolved where the answer came from. */
function throughBroker(target: string, { origin, useUrl }: Place): string | null {
  const url = URL.parse(target, target.startsWith('//') ? origin : undefined);
  if (!url || url.origin !== origin || url.username !== '' || url.password !== '') return null;
  return `${useUrl}${url.pathname}${url.search}${url.hash}`;
}
