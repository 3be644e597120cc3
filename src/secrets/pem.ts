/**
 * RFC 7468, and RFC 4716 with four dashes. Kinds end with one of the words that kinds end with: what else stands there could be
 * a part of a value.
 */
const begin =
  /^[\s\uFEFF]*-{4,5} ?BEGIN ((?:[A-Z0-9#.]{1,12} ){0,4}(?:KEY|BLOCK|CERTIFICATE|REQUEST|CHAIN|CRL|PARAMETERS|MESSAGE|DATA|CMS|PKCS7|SIGNATURE)) ?-{4,5}/;
const end = /-{4,5} ?END [A-Z0-9#. ]{1,60}-{4,5}[^-]*$/;

export interface Pem {
  /** Such as `RSA PRIVATE KEY`. */
  readonly kind: string;
  /** Its base64, without white space; of a chain all blocks. */
  readonly body: string;
}

/** A value that is a PEM file, whole or cut off; also on one line, with spaces or `\n` instead of its line ends. */
export function readPem(value: string): Pem | null {
  const [label = '', kind] = begin.exec(value) ?? [];
  if (kind === undefined) return null;
  return {
    kind,
    body: value
      .slice(label.length)
      .replace(end, '')
      .replaceAll(/\\[rn]|\s/g, ''),
  };
}
