import { decodeNumberCursor, encodeNumberCursor } from '../crypto/cursor.ts';
import { isEventOf } from '../crypto/event-mac.ts';
import { KeyMissing } from '../crypto/key-missing.ts';
import type { Keyring } from '../crypto/keyring.ts';
import { authenticated, authorizeAudit } from '../identity/authorize.ts';
import type { AuditEvent } from '../model/audit-event.ts';
import type { Caller } from '../model/caller.ts';
import { type Owner, ownerKey } from '../model/owner.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { type OwnerInput, resolveOwner } from '../rules/owner-input.ts';
import { checkPageSize, maxPageSize, type PageSize } from '../rules/page.ts';
import { createPacing } from '../runtime/pacing.ts';
import type { AuditPage, AuditQuery } from '../store/audit.ts';
import type { Store } from '../store/store.ts';
import { type AuditFilterInput, checkAuditFilter, digestOf } from './filter.ts';

export interface AuditDependencies {
  readonly store: Store;
  /** The keyring as it is now. */
  readonly keyring: () => Keyring;
}

export interface ListAuditEventsInput extends PageSize {
  readonly owner: OwnerInput;
  readonly filter?: AuditFilterInput | null | undefined;
  readonly after?: string | null | undefined;
  readonly before?: string | null | undefined;
  /** What the caller will look at. The rest is not read. */
  readonly select: { readonly page: boolean; readonly totalCount: boolean };
}

export interface AuditEventPage {
  readonly events: readonly AuditEvent[];
  /** Null when it was not selected. */
  readonly totalCount: number | null;
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** The signed position of an event in this list. */
  cursorOf(event: AuditEvent): string;
}

/** In events, each of which is verified in some 5 µs: other requests are answered between the lists of one document. */
const pace = createPacing(maxPageSize);

/**
 * An owner's audit events, in the order of the chain. Each is verified: what no gateway wrote is not shown.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, UNPROCESSABLE_ENTITY, BAD_REQUEST (cursor, or too much to
 * look at), SERVICE_UNAVAILABLE
 * @throws ForgedEvent
 */
export async function listAuditEvents(
  { store, keyring }: AuditDependencies,
  caller: Caller,
  input: ListAuditEventsInput,
): Promise<AuditEventPage> {
  await pace(1);
  caller.answer.throwIfStopped();
  const errors = new FieldErrors();
  const owner = resolveOwner(input.owner, authenticated(caller), errors.at('owner'));
  if (owner) authorizeAudit(caller, owner);
  const filter = checkAuditFilter(input.filter ?? {}, errors.at('filter'));
  const { from, limit } = checkPageSize(input, errors);
  errors.throwIfAny();
  if (!owner) throw new Error('an owner that cannot be resolved was not reported');

  const ring = keyring();
  const list = ['auditEvents', ownerKey(owner), digestOf(filter)];
  const after = input.after ? decodeNumberCursor(input.after, list, ring) : undefined;
  const before = input.before ? decodeNumberCursor(input.before, list, ring) : undefined;
  const read = await readInTurn(store, caller, ring, {
    owner,
    filter,
    ...(after !== undefined && { after }),
    ...(before !== undefined && { before }),
    from,
    // An empty page still tells whether there is more: one event is read for that.
    limit: input.select.page ? Math.max(1, limit) : 0,
    count: input.select.totalCount,
  });
  const hasMore = limit === 0 ? read.events.length > 0 : read.hasMore;
  return {
    events: limit === 0 ? [] : read.events,
    totalCount: read.totalCount,
    // The store knows about the end that it counted towards. On the other side is the event that the cursor came from.
    hasNextPage: from === 'start' ? hasMore : before !== undefined,
    hasPreviousPage: from === 'end' ? hasMore : after !== undefined,
    cursorOf: ({ sequence }) => encodeNumberCursor(sequence, list, ring),
  };
}

/** Beside its texts, which are as long as a secret's name and a purpose may be. */
const eventBytes = 600;

async function readInTurn(store: Store, { answer }: Caller, keyring: Keyring, query: AuditQuery): Promise<AuditPage> {
  const rows = 1 + query.limit;
  const others = answer.beginRead(rows);
  if (others) await others;
  try {
    answer.requireScan();
    const onScan = (events: number) => {
      answer.countScanned(events);
      answer.requireScan();
    };
    const page = await store.audit.list({ ...query, onScan });
    await pace(page.events.length);
    answer.throwIfStopped();
    for (const event of page.events) requireGenuine(query.owner, event, keyring);
    return page;
  } finally {
    answer.endRead(rows, () => eventBytes);
  }
}

/** An event in the database is not the word of a gateway. `code` is its sequence, for the log. */
export class ForgedEvent extends Error {
  override readonly name = 'ForgedEvent';
  readonly code: number;

  constructor({ sequence }: AuditEvent, cause?: unknown) {
    super('an audit event was changed in the database', { cause });
    this.code = sequence;
  }
}

/** @throws ForgedEvent, KeyMissing */
export function requireGenuine(owner: Owner, event: AuditEvent, keyring: Keyring): void {
  let isGenuine: boolean | undefined;
  try {
    isGenuine = isEventOf(owner, event, keyring);
  } catch (error) {
    // A field has a type that no gateway writes.
    throw new ForgedEvent(event, error);
  }
  if (isGenuine === undefined) throw new KeyMissing(String(event.kid));
  if (!isGenuine) throw new ForgedEvent(event);
}
