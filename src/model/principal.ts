import type { Owner } from './owner.ts';

export const scopes = [
  'secrets:read',
  'secrets:write',
  'secrets:resolve',
  'secrets:use',
  'secrets:match',
  'keys:manage',
] as const;
export type Scope = (typeof scopes)[number];

export type Role = 'admin' | 'member';

export interface Membership {
  readonly id: string;
  readonly role: Role;
}

/** Which kind of credential was used. Ids of two kinds never mean the same principal, even when they are equal. */
export type PrincipalKind = 'user' | 'apiKey';

/** Who calls, as the credentials say. */
export interface Principal {
  readonly kind: PrincipalKind;
  /** A user's `sub` claim, or an API key's id. */
  readonly subject: string;
  readonly teams: readonly Membership[];
  readonly scopes: ReadonlySet<Scope>;
  /** Of an API key that acts for one connector of its team, and for nothing else. */
  readonly connectorId?: string;
}

/** What a principal works with when it names no owner: a user's own secrets, or those that an API key acts for. */
export function ownOwnerOf({ kind, subject, teams, connectorId }: Principal): Owner {
  const [team] = teams;
  if (kind === 'user' || !team) return { type: 'user', userId: subject };
  if (connectorId === undefined) return { type: 'team', teamId: team.id };
  return { type: 'connector', teamId: team.id, connectorId };
}

/** A principal in audit events, logs and rate limits. */
export interface Actor {
  /** `system`: the gateway itself, or an operator at its command line. */
  readonly kind: PrincipalKind | 'system';
  readonly id: string;
}

export function actorOf({ kind, subject }: Principal): Actor {
  return { kind, id: subject };
}

/** An actor as one string, which no two share: no kind has a colon in it. */
export function actorKey({ kind, id }: Actor): string {
  return `${kind}:${id}`;
}

/** Rows that are read one after the other mostly have the same actors. */
let latestKey: string | undefined;
let latestActor: Actor = { kind: 'system', id: '' };

/** The actor whose key this is. */
export function actorOfKey(key: string): Actor {
  if (key === latestKey) return latestActor;
  const colon = key.indexOf(':');
  latestActor = { kind: key.slice(0, Math.max(0, colon)) as PrincipalKind, id: key.slice(colon + 1) };
  latestKey = key;
  return latestActor;
}
