import { authorize } from '../identity/authorize.ts';
import type { Owner } from '../model/owner.ts';
import type { Caller } from '../model/principal.ts';
import { createPacing } from '../runtime/pacing.ts';
import type { Filter, Secret } from '../store/store.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { Dependencies } from './dependencies.ts';
import { type OwnerInput, resolveOwner } from './owner-input.ts';
import {
  BrokenFields,
  checkLookup,
  defaultPageSize,
  maxNameCharacters,
  maxPageSize,
  maxTagCharacters,
  maxTags,
} from './rules.ts';

export interface SecretFilterInput {
  readonly name?: string | null | undefined;
  readonly nameStartsWith?: string | null | undefined;
  readonly provider?: string | null | undefined;
  readonly tags?: readonly string[] | null | undefined;
  readonly placeholder?: string | null | undefined;
}

export interface PageArguments {
  readonly filter?: SecretFilterInput | null | undefined;
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

export interface ListSecretsInput extends PageArguments {
  readonly owner: OwnerInput | Owner;
  /** What the caller will look at; the rest is not read. */
  readonly select: { readonly page: boolean; readonly totalCount: boolean };
}

export interface SecretPage {
  readonly secrets: readonly Secret[];
  /** Null when it was not selected. */
  readonly totalCount: number | null;
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** Signs a secret's place in this list. */
  cursorOf(secret: Secret): string;
}

/** In secrets. A document may ask for a hundred times as many, and to make an answer of them takes microseconds for each. */
const pace = createPacing(maxPageSize);

/**
 * An owner's secrets, by name.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, UNPROCESSABLE_ENTITY, BAD_REQUEST (cursor)
 */
export async function listSecrets(
  { store, keyring }: Dependencies,
  caller: Caller,
  input: ListSecretsInput,
): Promise<SecretPage> {
  const broken = new BrokenFields();
  const owner = 'type' in input.owner ? input.owner : resolveOwner(input.owner, caller, ['owner'], broken);
  if (owner) authorize(caller, owner, 'secrets:read');
  const filter = checkFilter(input.filter ?? {}, broken);
  const { from, limit } = checkPage(input, broken);
  broken.throwIfAny();
  if (!owner) throw new Error('an owner that cannot be told was not reported');

  const ring = keyring();
  const list = { owner, filter };
  const after = input.after == null ? undefined : decodeCursor(input.after, list, ring);
  const before = input.before == null ? undefined : decodeCursor(input.before, list, ring);
  const read = await store.list({
    ...list,
    ...(after && { after }),
    ...(before && { before }),
    from,
    // A page of none still tells whether there is more: one is read for that.
    limit: input.select.page ? Math.max(1, limit) : 0,
    count: input.select.totalCount,
  });
  await pace(read.secrets.length);
  const secrets = limit === 0 ? [] : read.secrets;
  const hasMore = limit === 0 ? read.secrets.length > 0 : read.hasMore;
  return {
    secrets,
    totalCount: read.totalCount,
    // Towards the end it counted from, the store knows; on the other side lies what the cursor came from.
    hasNextPage: from === 'start' ? hasMore : before !== undefined,
    hasPreviousPage: from === 'end' ? hasMore : after !== undefined,
    cursorOf: (secret) => encodeCursor(secret, list, ring),
  };
}

function checkPage({ first, last }: PageArguments, broken: BrokenFields) {
  for (const [name, size] of Object.entries({ first, last })) {
    if (size != null && (size < 0 || size > maxPageSize)) {
      broken.add([name], 'range', `Must be between 0 and ${maxPageSize}.`);
    }
  }
  if (first != null && last != null) broken.add(['last'], 'exclusive', 'Must not be there together with first.');
  return last == null
    ? ({ from: 'start', limit: first ?? defaultPageSize } as const)
    : ({ from: 'end', limit: last } as const);
}

/** What is looked for is held to the rules of what is kept, as far as a part of it can be. */
function checkFilter(input: SecretFilterInput, broken: BrokenFields): Filter {
  const { name, nameStartsWith, provider, placeholder, tags } = input;
  const text = (field: string, value: string) => checkLookup(value, ['filter', field], maxNameCharacters, broken);
  if (tags && tags.length > maxTags) {
    broken.add(['filter', 'tags'], 'too_many', `Must have at most ${maxTags} tags.`);
    return {};
  }
  const checkTag = (tag: string, index: number) =>
    checkLookup(tag, ['filter', 'tags', index], maxTagCharacters, broken);
  return {
    ...(name != null && { name: text('name', name) }),
    ...(nameStartsWith != null && { nameStartsWith: text('nameStartsWith', nameStartsWith) }),
    ...(provider != null && { provider: text('provider', provider) }),
    ...(placeholder != null && { placeholder: text('placeholder', placeholder) }),
    ...(tags?.length && { tags: [...new Set(tags.map(checkTag))] }),
  };
}
