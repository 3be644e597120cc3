import { digestsToFind, isDigestOf } from '../crypto/equality.ts';
import { authenticated, authorize, requireScope } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Owner } from '../model/owner.ts';
import type { Secret, StoredSecret } from '../model/secret.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { type OwnerInput, resolveOwner } from '../rules/owner-input.ts';
import { requireSecureTransport } from '../rules/secure-transport.ts';
import { createPacing } from '../runtime/pacing.ts';
import { compareNames } from '../store/filter.ts';
import type { Dependencies } from './dependencies.ts';
import { readInTurn } from './list-secrets.ts';
import { checkPlainValue } from './rules.ts';
import { readValueInput, type ValueInput } from './value-input.ts';

export interface MatchesSecretInput extends ValueInput {
  readonly owner: OwnerInput;
}

/** Of an owner with more secrets of one value, some of them. */
export const maxMatches = 1000;

/** To check what was found takes two HMACs each. */
const pace = createPacing(200);

/**
 * The secrets of an owner that have this value now, by name. Nothing is opened. The look-up takes one digest for each key and one
 * query, whatever is there.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, UPGRADE_REQUIRED, UNPROCESSABLE_ENTITY, UNPROCESSABLE_CONTENT,
 * TOO_MANY_REQUESTS
 */
export async function matchesSecret(
  dependencies: Dependencies,
  caller: Caller,
  input: MatchesSecretInput,
): Promise<readonly Secret[]> {
  const errors = new FieldErrors();
  const principal = authenticated(caller);
  const owner = resolveOwner(input.owner, principal, errors.at('owner'));
  if (owner) authorize(caller, owner, 'secrets:match');
  for (const scope of ['secrets:match', 'secrets:read'] as const) requireScope(principal, scope);
  if (input.value != null) requireSecureTransport(caller);

  const plaintext = owner && readValueInput(input, { principal, owner, use: 'match' }, dependencies, errors);
  if (plaintext) checkPlainValue(plaintext.value, errors.at(plaintext.field));
  else if (input.value == null && input.sealedValue == null) {
    errors.at('value').add('required', 'Is required, or sealedValue.');
  }
  errors.throwIfAny();
  if (!owner || !plaintext) throw new Error('a question that cannot be answered was not reported');

  await dependencies.spendMatch(principal);
  const { secrets } = await readInTurn(caller.answer, maxMatches, async () => ({
    secrets: await matching(dependencies, owner, plaintext.value),
    hasMore: false,
    totalCount: null,
  }));
  return secrets;
}

async function matching({ store, keyring }: Dependencies, owner: Owner, value: string): Promise<Secret[]> {
  const ring = keyring();
  const found = await store.digests.match(owner, digestsToFind(value, owner, ring), maxMatches);
  const genuine: StoredSecret[] = [];
  for (const { secret, digest } of found) {
    const turn = pace(1);
    if (turn) await turn;
    // What something other than a gateway wrote tells nothing.
    if (isDigestOf(secret, digest, ring)) genuine.push(secret);
  }
  return genuine.sort((a, b) => compareNames(a.name, b.name));
}
