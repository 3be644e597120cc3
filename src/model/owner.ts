/** Who a secret belongs to. */
export type Owner =
  | { readonly type: 'user'; readonly userId: string }
  | { readonly type: 'team'; readonly teamId: string }
  | { readonly type: 'connector'; readonly teamId: string; readonly connectorId: string };

/**
 * The owner as one string: what stores index by and envelopes are bound to.
 * The ids are percent-encoded, so that no two owners share a key whatever their ids hold.
 * A connector's key begins with its team's, so that a team and its connectors are one range.
 * @throws URIError for an id that is not well-formed Unicode
 */
export function ownerKey(owner: Owner): string {
  switch (owner.type) {
    case 'user':
      return `user:${encodeURIComponent(owner.userId)}`;
    case 'team':
      return `team:${encodeURIComponent(owner.teamId)}`;
    case 'connector':
      return `team:${encodeURIComponent(owner.teamId)}/connector:${encodeURIComponent(owner.connectorId)}`;
  }
}

/** The owner whose key this is. */
export function ownerOfKey(key: string): Owner {
  const [first = '', second] = key.split('/');
  const id = decodeURIComponent(first.slice(first.indexOf(':') + 1));
  if (first.startsWith('user:')) return { type: 'user', userId: id };
  if (second === undefined) return { type: 'team', teamId: id };
  return { type: 'connector', teamId: id, connectorId: decodeURIComponent(second.slice('connector:'.length)) };
}
