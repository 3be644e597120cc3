import { DomainError } from '../errors.ts';
import type { StoredSecret } from '../model/secret.ts';
import type { FieldErrors } from '../rules/field-errors.ts';
import { checkId } from '../rules/id.ts';
import { checkLookup, maxNameCharacters } from '../rules/text.ts';
import { createPacing } from '../runtime/pacing.ts';
import type { NamedSecrets } from '../store/store.ts';

/** Which secrets of an owner. A list that is left out names none; without any list it is all of them. */
export interface RequestedSecretsInput {
  readonly names?: readonly string[] | null | undefined;
  readonly placeholders?: readonly string[] | null | undefined;
  readonly ids?: readonly string[] | null | undefined;
}

export const maxSecrets = 1000;

const lists = ['names', 'placeholders', 'ids'] as const;
const fieldOf = { names: 'name', placeholders: 'placeholder', ids: 'id' } as const;

/** By list: each text as it was sent, and what is looked up for it. */
type Sent = Readonly<Record<(typeof lists)[number], ReadonlyMap<string, string>>>;

/** Characters of texts that are normalised in one tick of the event loop. */
const pace = createPacing(50_000);

/** The secrets that a caller requests, in the form in which they are looked up. */
export class RequestedSecrets {
  /** Null: all of the owner's. */
  readonly named: NamedSecrets | null;
  readonly #sent: Sent | null;
  readonly #wanted: Readonly<Record<(typeof lists)[number], ReadonlySet<string>>>;

  constructor(sent: Sent | null) {
    this.#sent = sent;
    const wanted = (list: (typeof lists)[number]) => new Set(sent?.[list].values());
    this.#wanted = { names: wanted('names'), placeholders: wanted('placeholders'), ids: wanted('ids') };
    const { names, placeholders, ids } = this.#wanted;
    this.named = sent && { names: [...names], placeholders: [...placeholders], ids: [...ids] };
  }

  /** How many different secrets are named, at most. */
  get size(): number {
    return lists.reduce((sum, list) => sum + this.#wanted[list].size, 0);
  }

  /** Whether a store that compares texts in its own way found what was asked for. */
  includes(secret: StoredSecret): boolean {
    return this.#sent === null || lists.some((list) => this.#wanted[list].has(secret[fieldOf[list]]));
  }

  /**
   * What was asked for and is not delivered, as it was sent. Where all were asked for, the names of those without a value.
   * @param found what was asked for and is there
   */
  missing(found: readonly StoredSecret[]): string[] {
    if (!this.#sent) return found.filter(({ sealed }) => !sealed).map(({ name }) => name);
    const delivered = found.filter(({ sealed }) => sealed);
    const missing = new Set<string>();
    for (const list of lists) {
      const there = new Set(delivered.map((secret) => secret[fieldOf[list]]));
      for (const [text, key] of this.#sent[list]) if (!there.has(key)) missing.add(text);
    }
    return [...missing];
  }
}

/** @throws DomainError BAD_REQUEST when it is too much */
export async function checkRequestedSecrets(
  input: RequestedSecretsInput,
  errors: FieldErrors,
): Promise<RequestedSecrets> {
  if (lists.every((list) => input[list] == null)) return new RequestedSecrets(null);
  const checked = async (list: (typeof lists)[number]) => {
    const sent = new Map<string, string>();
    for (const [index, text] of (input[list] ?? []).entries()) {
      if (sent.has(text)) continue;
      const turn = pace(1 + text.length);
      if (turn) await turn;
      const broken = errors.at(list).at(index);
      sent.set(text, list === 'ids' ? checkId(text, broken) : checkLookup(text, maxNameCharacters, broken));
    }
    return sent;
  };
  const requested = new RequestedSecrets({
    names: await checked('names'),
    placeholders: await checked('placeholders'),
    ids: await checked('ids'),
  });
  if (requested.size > maxSecrets) throw tooMany();
  return requested;
}

export function tooMany(): DomainError {
  return new DomainError('BAD_REQUEST', {
    type: 'delivery_limit_error',
    message: 'That is too much to deliver at once.',
    description: `Ask for at most ${maxSecrets.toLocaleString('en')} secrets by their names, placeholders or ids. Nothing was delivered.`,
  });
}
