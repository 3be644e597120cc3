import type { Owner } from '../../src/model/owner.ts';
import type { ProviderCheck } from '../../src/model/provider-check.ts';
import type { KeyToCheck } from '../../src/secrets/dependencies.ts';

export const value = 'sk-7f3a9c1e5b2d8046';

/** The status alone decides. */
export const plainCheck: ProviderCheck = {
  method: 'GET',
  path: '/v1/me?a=b',
  headers: {},
  body: null,
  results: {},
  notForPrefixes: [],
};

/** The value, to be checked at an origin. */
export function keyAt(
  origin: string,
  check: ProviderCheck = plainCheck,
  owner: Owner = { type: 'user', userId: 'ada' },
): KeyToCheck {
  const destination = { origin, header: 'Authorization', format: 'Bearer {value}', paths: null, byHand: false };
  return { owner, value, destination, check };
}
