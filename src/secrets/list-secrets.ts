import { decodeCursor, encodeCursor } from '../crypto/cursor.ts';
import { authenticated, authorize } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Owner } from '../model/owner.ts';
import type { Secret, SecretFilter } from '../model/secret.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { type OwnerInput, resolveOwner } from '../rules/owner-input.ts';
import { checkPageSize, maxPageSize, type PageSize } from '../rules/page.ts';
import type { Answer } from '../runtime/answer.ts';
import { createPacing } from '../runtime/pacing.ts';
import type { ListQuery, ListResult } from '../store/store.ts';
import { listKey } from './cursor.ts';
import type { Dependencies } from './dependencies.ts';
import { checkFilterOnce, type SecretFilterInput } from './filter.ts';

export interface PageArguments extends PageSize {
  readonly filter?: SecretFilterInput | null | undefined;
  readonly after?: string | null | undefined;
  readonly before?: string | null | undefined;
}

export interface ListSecretsInput extends PageArguments {
  readonly owner: OwnerInput | Owner;
  /** What the caller will look at. The rest is not read. */
  readonly select: { readonly page: boolean; readonly totalCount: boolean };
}

export interface SecretPage {
  readonly secrets: readonly Secret[];
  /** Null when it was not selected. */
  readonly totalCount: number | null;
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** The signed position of a secret in this list. */
  cursorOf(secret: Secret): string;
}

/**
 * In secrets. A document may ask for a hundred times as many, and each takes microseconds to answer, so that other requests
 * are answered in between.
 */
const pace = createPacing(maxPageSize);
/** To answer this many characters of notes and tags takes as long as a secret without any. */
const charactersPerSecret = 200;
/** To begin a list takes 20 to 50 µs, and several times as long to check a filter or a cursor and to refuse it. */
const [plainList, checkedList] = [1, 2];
const paceStart = createPacing(150);

/**
 * An owner's secrets, by name.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, UNPROCESSABLE_ENTITY, BAD_REQUEST (cursor)
 */
export async function listSecrets(
  { store, keyring }: Dependencies,
  caller: Caller,
  input: ListSecretsInput,
): Promise<SecretPage> {
  const turn = paceStart(input.filter || input.after || input.before ? checkedList : plainList);
  if (turn) await turn;
  caller.answer.throwIfStopped();
  const errors = new FieldErrors();
  const owner =
    'type' in input.owner ? input.owner : resolveOwner(input.owner, authenticated(caller), errors.at('owner'));
  if (owner) authorize(caller, owner, 'secrets:read');
  const filter = input.filter ? checkFilterOnce(input.filter, caller, errors.at('filter')) : everything;
  const { from, limit } = checkPageSize(input, errors);
  errors.throwIfAny();
  if (!owner) throw new Error('an owner that cannot be resolved was not reported');

  const ring = keyring();
  const list = { owner, filter };
  const key = listKey(list);
  // A client that has no cursor yet may send it as empty text.
  const after = input.after ? decodeCursor(input.after, key, ring) : undefined;
  const before = input.before ? decodeCursor(input.before, key, ring) : undefined;
  const query: ListQuery = {
    ...list,
    ...(after && { after }),
    ...(before && { before }),
    from,
    // An empty page still tells whether there is more: one secret is read for that.
    limit: input.select.page ? Math.max(1, limit) : 0,
    count: input.select.totalCount,
    onScan: (rows) => caller.answer.countScanned(rows),
    requireWanted: () => caller.answer.throwIfStopped(),
  };
  const read = await readInTurn(caller.answer, query.limit, () => store.list(query));
  const secrets = limit === 0 ? [] : read.secrets;
  const hasMore = limit === 0 ? read.secrets.length > 0 : read.hasMore;
  return {
    secrets,
    totalCount: read.totalCount,
    // The store knows about the end that it counted towards. On the other side is the secret that the cursor came from.
    hasNextPage: from === 'start' ? hasMore : before !== undefined,
    hasPreviousPage: from === 'end' ? hasMore : after !== undefined,
    cursorOf: (secret) => encodeCursor(secret, key, ring),
  };
}

const everything: SecretFilter = {};

/** Reads a list when as much as others of the same request had under way has been read. @throws DomainError when it is stopped */
export async function readInTurn(answer: Answer, limit: number, list: () => Promise<ListResult>): Promise<ListResult> {
  answer.throwIfStopped();
  const rows = 1 + limit;
  const others = answer.beginRead(rows);
  if (others) await others;
  let secrets: readonly Secret[] = [];
  try {
    // All lists that waited are refused now, and the executor makes an error of each.
    if (answer.stopped) await paceStart(checkedList);
    answer.requireScan();
    const read = await list();
    secrets = read.secrets;
    await pace(secrets.reduce((sum, secret) => sum + 1 + lengthOf(secret) / charactersPerSecret, 0));
    answer.throwIfStopped();
    return read;
  } finally {
    answer.endRead(rows, () => Math.max(0, ...secrets.map(lengthOf)));
  }
}

/** Of the parts that may be long, in characters. */
function lengthOf({ notes, tags }: Secret): number {
  let length = notes?.length ?? 0;
  for (const tag of tags) length += tag.length;
  return length;
}
