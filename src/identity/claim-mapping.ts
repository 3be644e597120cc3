import type { Membership, Role, Scope } from '../model/principal.ts';
import type { Pointer } from '../runtime/json-pointer.ts';

/** Where an issuer's claims are, and what they mean. */
export interface ClaimMapping {
  readonly subject: Pointer;
  /** Put before each subject, so that a user of one issuer is never a user of another. */
  readonly subjectPrefix: string;
  /** Tried in turn; the first that is there counts. */
  readonly scopes: readonly Pointer[];
  /** What scopes begin with in the token. Others count only if `scopeMap` has them. */
  readonly scopePrefix: string;
  readonly scopeMap: ReadonlyMap<string, readonly Scope[]>;
  /** Tried in turn; the first that is there counts. */
  readonly teams: readonly Pointer[];
  /** Put before each team's id. */
  readonly teamPrefix: string;
  readonly roleMap: ReadonlyMap<string, Role>;
  readonly grants: readonly Grant[];
}

/** What an issuer's subjects get besides what their tokens say. */
export interface Grant {
  /** A subject as the token has it, or what it begins with and one `*`. */
  readonly subject: string;
  readonly teams: readonly Membership[];
  readonly scopes: readonly Scope[];
}
