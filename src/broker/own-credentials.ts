import { badRequest } from '../errors.ts';
import { isApiKey } from '../identity/api-key.ts';
import { isJsonObject } from '../identity/unverified-token.ts';
import type { BrokerCredential } from './credential.ts';
import { isForwarded } from './request-headers.ts';
import type { Target } from './target.ts';

/**
 * Refuses credentials and placeholders of the gateway where they would reach an upstream. A placeholder there is a mistake, since it
 * is not replaced, and a credential is somebody else's from then on. Headers that are not forwarded are not searched.
 * @param used stands in its header, which is replaced or dropped
 * @param isOwnToken whether a JWT is for the gateway
 * @throws DomainError BAD_REQUEST
 */
export function refuseOwnCredentials(
  { path, query }: Pick<Target, 'path' | 'query'>,
  rawHeaders: readonly string[],
  used: BrokerCredential,
  isOwnToken: (token: string) => boolean,
): void {
  const { credential, sentIn } = used;
  const isOwn = (token: string) => isOwnToken(token) || (credential.type === 'bearer' && token === credential.token);
  const refuse = (text: string, place: string) => {
    if (!hasOwnCredential(text, isOwn)) return;
    throw badRequest(
      `${place} has a credential or a placeholder of the gateway, which must not reach others. Take it out: the value of the secret is put in by the gateway.`,
    );
  };
  refuse(path, 'The path');
  refuse(query, 'The query');
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.toLowerCase() === sentIn || !isForwarded(name)) continue;
    if (/[_.%]/.test(name)) refuse(name, 'The name of a header');
    refuse(rawHeaders[at + 1] ?? '', 'A header');
  }
}

/** A placeholder; what it is in base64 takes 18. */
const minLength = 13;
const minBase64Length = 18;
const timesDecoded = 3;

/** A text, what it is when it is percent-decoded, and what runs of base64 in these stand for: one in a line. */
function formsOf(text: string): string {
  let forms = text;
  let last = text;
  for (let times = 0; times < timesDecoded && last.includes('%'); times += 1) {
    last = percentDecoded(last);
    forms += `\n${last}`;
  }
  const runs = forms.match(/[\w+/-]{18,}/g) ?? [];
  return runs.reduce((all, run) => `${all}\n${Buffer.from(run, 'base64').toString('latin1')}`, forms);
}

function percentDecoded(text: string): string {
  return text.replaceAll(/%([\da-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

const placeholder = /(?<![\dA-Za-z_])sec_[\da-f]{9}(?![\dA-Za-z_])/;

function hasOwnCredential(text: string, isOwnToken: (token: string) => boolean): boolean {
  if (text.length < minLength || (text.length < minBase64Length && !/sec_|%/.test(text))) return false;
  const forms = formsOf(text);
  if (placeholder.test(forms)) return true;
  // A key is one by its checksum, whatever stands beside it.
  if (forms.match(/sgk_[\dA-Za-z]{49}/g)?.some(isApiKey)) return true;
  if (!forms.includes('.')) return false;
  const tokens = [...new Set(forms.split(/[^\w.-]+/))].flatMap(tokensIn);
  return tokens.length > maxTokens || tokens.some(isOwnToken);
}

/** Nobody sends more; each costs time to look at. */
const maxTokens = 50;

/** What may be a JWT in a word: three parts with dots between them, of which the first is JSON. */
function tokensIn(word: string): string[] {
  if (word.length < minHeaderLength) return [];
  const parts = word.split('.');
  return parts.slice(0, -2).flatMap((header, at) => {
    const rest = `.${parts[at + 1]}.${parts[at + 2] || 'none'}`;
    return startsOf(header).map((start) => header.slice(start) + rest);
  });
}

/** In base64url: `{"alg":"ES256"}`. */
const minHeaderLength = 20;
/** The letters by which JSON begins come up in a header by chance, too, but not often. */
const maxStarts = 3;

/** Where JSON may begin in a part: also behind letters that belong to base64url, as in `token_eyJ…`. */
function startsOf(part: string): number[] {
  if (part.length < minHeaderLength) return [];
  const begins = [...part.matchAll(/e(?:y[ABIJ]|w[01klop])/g)].map(({ index }) => index);
  const starts = new Set([0, ...begins.slice(-maxStarts)]);
  return [...starts].filter((start) => part.length - start >= minHeaderLength && isJsonObject(part.slice(start)));
}
