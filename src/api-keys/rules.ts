import { type Principal, type Scope, scopes } from '../model/principal.ts';
import type { FieldErrors } from '../rules/field-errors.ts';

const maxGraceSeconds = 7 * 24 * 60 * 60;
const maxScopes = 50;

const grantable = scopes.filter((scope) => scope !== 'keys:manage');

/** The scopes of a new key, each once: a key may do no more than who makes it, and manages no keys. */
export function checkScopes(sent: readonly string[], creator: Principal, errors: FieldErrors): Scope[] {
  if (sent.length > maxScopes) {
    errors.add('too_many', `Must have at most ${maxScopes} scopes.`);
    return [];
  }
  const wanted = new Set<Scope>();
  for (const [index, name] of sent.entries()) {
    const scope = grantable.find((one) => one === name);
    if (!scope) errors.at(index).add('scope', `Must be one of ${grantable.join(', ')}. No key has keys:manage.`);
    else if (!creator.scopes.has(scope)) {
      errors.at(index).add('scope_not_held', 'Must be a scope of your own: a key may do no more than who makes it.');
    } else wanted.add(scope);
  }
  return grantable.filter((scope) => wanted.has(scope));
}

export function checkExpiry(expiresAt: Date, now: Date, errors: FieldErrors): void {
  if (expiresAt <= now) errors.add('past', 'Must be in the future.');
}

export function checkGrace(graceSeconds: number, errors: FieldErrors): void {
  if (graceSeconds >= 0 && graceSeconds <= maxGraceSeconds) return;
  errors.add('range', `Must be between 0 and ${maxGraceSeconds}, which is 7 days.`);
}
