import { type Scope, scopes } from '../model/principal.ts';
import type { ClaimMapping, Grant } from './claim-mapping.ts';
import { isObject, isSwitchedOff, namesIn } from './list-claim.ts';

/** The scopes that a claim names, and those of the grants. A name that is not known grants nothing. */
export function readScopes(claim: unknown, mapping: ClaimMapping, grants: readonly Grant[]): Set<Scope> {
  const granted = new Set([
    ...scopeNames(claim).flatMap((name) => meaningOf(name, mapping)),
    ...grants.flatMap((grant) => grant.scopes),
  ]);
  return new Set(scopes.filter((scope) => granted.has(scope)));
}

function scopeNames(claim: unknown): string[] {
  if (typeof claim === 'string') return namesIn(claim);
  if (Array.isArray(claim)) return claim.flatMap((item) => (typeof item === 'string' ? namesIn(item) : []));
  if (isObject(claim)) return Object.keys(claim).filter((name) => !isSwitchedOff(claim[name]));
  return [];
}

function meaningOf(name: string, { scopePrefix, scopeMap }: ClaimMapping): readonly Scope[] {
  const bare = name.startsWith(scopePrefix) ? name.slice(scopePrefix.length) : null;
  const mapped = scopeMap.get(name) ?? (bare === null ? undefined : scopeMap.get(bare));
  return mapped ?? scopes.filter((scope) => scope === bare);
}
