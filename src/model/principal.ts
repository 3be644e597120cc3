export const scopes = ['secrets:read', 'secrets:write', 'secrets:resolve', 'keys:manage'] as const;
export type Scope = (typeof scopes)[number];

export type Role = 'admin' | 'member';

export interface Membership {
  readonly id: string;
  readonly role: Role;
}

/** Who is calling, as its credentials say. */
export interface Principal {
  readonly subject: string;
  readonly teams: readonly Membership[];
  readonly scopes: ReadonlySet<Scope>;
}

/** Who is calling, in one request. */
export interface Caller {
  /** Null without credentials. */
  readonly principal: Principal | null;
  readonly requestId: string;
  /** As `performance.now()` tells the time: no write is begun after it. */
  readonly writeDeadline: number;
  /** Whether values may come in clear: by TLS, over loopback, or where the operator asks for neither. */
  readonly confidential: boolean;
}
