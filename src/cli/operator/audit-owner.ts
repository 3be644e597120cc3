import { isIdentifier } from '../../identity/identifier.ts';
import type { Owner } from '../../model/owner.ts';
import { UsageError } from '../usage-error.ts';

export interface OwnerOptions {
  readonly team?: string;
  readonly connector?: string;
  readonly user?: string;
}

/** The owner that the options name; undefined for all. */
export function ownerOfOptions({ team, connector, user }: OwnerOptions): Owner | undefined {
  for (const [name, id] of Object.entries({ team, connector, user })) {
    if (id !== undefined && !isIdentifier(id)) throw new UsageError(`--${name} must have 1 to 255 characters.`);
  }
  if (user !== undefined) return { type: 'user', userId: user };
  if (team === undefined) {
    if (connector !== undefined) throw new UsageError('--connector needs the team of the connector: --team T');
    return undefined;
  }
  return connector === undefined
    ? { type: 'team', teamId: team }
    : { type: 'connector', teamId: team, connectorId: connector };
}
