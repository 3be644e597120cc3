const none: readonly string[] = [];

/**
 * Every value that a header was sent with: of some that were sent twice `headers` keeps only the first.
 * @param name in lower case
 */
export function sentValues(
  { rawHeaders }: { readonly rawHeaders: readonly string[] },
  name: string,
): readonly string[] {
  let values: string[] | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const sent = rawHeaders[at] ?? '';
    if (sent.length !== name.length || sent.toLowerCase() !== name) continue;
    const value = rawHeaders[at + 1] ?? '';
    if (values) values.push(value);
    else values = [value];
  }
  return values ?? none;
}
