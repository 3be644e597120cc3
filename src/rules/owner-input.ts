import type { Owner } from '../model/owner.ts';
import { ownOwnerOf, type Principal } from '../model/principal.ts';
import type { FieldErrors } from './field-errors.ts';
import { checkLabel, maxNameCharacters } from './text.ts';

/** Names an owner: the caller's own when empty, a team, or a connector of a team. */
export interface OwnerInput {
  readonly teamId?: string | null | undefined;
  readonly connectorId?: string | null | undefined;
}

/** The owner that an input names; null when it names none, and `errors` says why. authorize() decides who may reach it. */
export function resolveOwner(
  { teamId, connectorId }: OwnerInput,
  principal: Principal,
  errors: FieldErrors,
): Owner | null {
  if (teamId == null && connectorId == null) return ownOwnerOf(principal);
  if (teamId == null) {
    errors.at('teamId').add('required', 'Is required: a connector belongs to a team.');
    return null;
  }
  if (connectorId == null) return { type: 'team', teamId };
  return {
    type: 'connector',
    teamId,
    connectorId: checkLabel(connectorId, maxNameCharacters, errors.at('connectorId')),
  };
}
