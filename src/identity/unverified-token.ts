import { withoutStack } from '../errors.ts';
import { valueAt } from '../runtime/json-pointer.ts';
import type { Issuer } from './issuer.ts';

/** Whether a text has the form of a signed JWT: it says nothing about who made it. */
export function isTokenForm(text: string): boolean {
  return unverifiedClaims(text) !== null;
}

/**
 * Whether a text is a token of one of these issuers for the gateway. Its signature and its times are not checked: it is a
 * credential to keep away from others, not to trust.
 */
export function createOwnTokenRule(
  issuers: readonly Pick<Issuer, 'issuer' | 'audience' | 'audienceClaim'>[],
): (text: string) => boolean {
  return (text) => {
    const claims = unverifiedClaims(text);
    if (!claims) return false;
    return issuers.some(({ issuer, audience, audienceClaim }) => {
      const audiences = [valueAt(claims, audienceClaim)].flat();
      return claims.iss === issuer && audiences.some((one) => typeof one === 'string' && audience.includes(one));
    });
  };
}

/** Null for a text that is no JWT in compact serialisation (RFC 7519, section 3.1). */
function unverifiedClaims(text: string): Record<string, unknown> | null {
  const [header, payload, signature, ...more] = text.split('.');
  if (!header || !payload || !signature || more.length > 0) return null;
  return isJsonObject(header) ? jsonObject(payload) : null;
}

/** Whether a part of a token is an object in JSON. */
export function isJsonObject(base64url: string): boolean {
  return jsonObject(base64url) !== null;
}

function jsonObject(base64url: string): Record<string, unknown> | null {
  const text = Buffer.from(base64url, 'base64url').toString().trim();
  // Most texts with dots are no tokens, and an exception costs more than this look.
  if (!text.startsWith('{') || !text.endsWith('}')) return null;
  try {
    const value: unknown = withoutStack(() => JSON.parse(text));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
