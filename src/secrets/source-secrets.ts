import { openRecordBytes, RecordRejected } from '../crypto/record.ts';
import { DomainError, type FieldError } from '../errors.ts';
import type { Owner } from '../model/owner.ts';
import type { StoredSecret } from '../model/secret.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { type SelectedSecret, StoreConflict } from '../store/store.ts';
import { eventOf } from './audit-event.ts';
import { maxBatch, paceBatch } from './batch-input.ts';
import type { Dependencies } from './dependencies.ts';
import type { Author } from './first-version.ts';
import type { BatchRules, Candidate } from './prepare-item.ts';
import { checkName } from './rules.ts';
import type { BatchSource, Stored } from './write-batch.ts';

/** Secrets of an owner that are to be copied. */
export interface Copied {
  readonly from: Owner;
  /** In the form in which they are stored; null: all. */
  readonly names: readonly string[] | null;
}

/** Why a secret cannot be copied. */
const obstacles = {
  missing: 'The owner to copy from has no secret of this name.',
  taken: 'The target owner already has a secret with this name. Leave this one out, or use onConflict SKIP or UPDATE.',
  no_value: 'It has no value, and its copy would need one.',
  no_provider: 'It has no provider, and the copy would need one. Give it one first.',
  environment_variable_name:
    'Its name is not a valid name of an environment variable, which the copy needs. Rename it first.',
  damaged:
    'Something other than a gateway changed it in the database. Tell the operator, whose log names it; set its value again.',
} as const;
type Obstacle = keyof typeof obstacles;

/** A value that is opened takes about as long as one unit of pacing, with as many bytes as this. */
const bytesPerUnit = 16 * 1024;

/** The batch of `duplicateSecrets`. */
export class SourceSecrets implements BatchSource {
  readonly owner: Owner;
  readonly onConflict: BatchRules['onConflict'];
  readonly dryRun: boolean;
  readonly #dependencies: Dependencies;
  readonly #author: Author;
  readonly #copied: Copied;
  /** By index: what is there to be copied. */
  #found = new Map<number, SelectedSecret>();
  /** MACs of records whose values open, by the secret's id. Whoever can write to the database can give one to another secret. */
  readonly #sound = new Map<string, string>();
  #counted = false;

  constructor(dependencies: Dependencies, author: Author, copied: Copied, rules: BatchRules) {
    this.#dependencies = dependencies;
    this.#author = author;
    this.#copied = copied;
    this.owner = rules.owner;
    this.onConflict = rules.onConflict;
    this.dryRun = rules.dryRun;
  }

  /** @throws DomainError UNPROCESSABLE_ENTITY when they are too many */
  async candidates(): Promise<readonly Candidate[]> {
    const { from, names } = this.#copied;
    const named = names && { names, placeholders: [], ids: [] };
    const selected = await this.#dependencies.store.select(from, named, maxBatch + 1);
    if (selected.length > maxBatch) tooMany();
    const byName = new Map(selected.map((one) => [one.secret.name, one]));
    const found = names ? names.map((name) => byName.get(name)) : selected;
    this.#found = new Map(found.flatMap((one, index) => (one ? [[index, one] as const] : [])));
    if (!this.#counted) this.#author.caller.answer.countWritten(found.length);
    this.#counted = true;
    return [...this.#found].map(([index, one]) => this.#candidateOf(index, one));
  }

  /** @throws DomainError DUPLICATION_FAILED with everything that stands in the way */
  async check(candidates: readonly Candidate[], stored: Stored): Promise<void> {
    const errors: FieldError[] = [];
    let cause: unknown;
    const refuse = (index: number, type: Obstacle) => {
      const name = this.#found.get(index)?.secret.name;
      const told = { field: 'names', loc: ['names', index], message: obstacles[type], type };
      errors.push({ ...told, ...(name !== undefined && { name }) });
    };
    for (const index of this.#copied.names?.keys() ?? []) if (!this.#found.has(index)) refuse(index, 'missing');
    for (const candidate of candidates) {
      const { index, fields } = candidate;
      const there = stored.get(fields.name)?.secret;
      if (there && this.onConflict === 'skip') continue;
      if (there && this.onConflict === 'fail') refuse(index, 'taken');
      for (const obstacle of this.#brokenRules(candidate, there)) refuse(index, obstacle);
      await this.#requireSound(index).catch((error: unknown) => {
        if (!(error instanceof RecordRejected)) throw error;
        cause ??= error;
        refuse(index, 'damaged');
      });
    }
    if (errors.length > 0) throw duplicationFailed(errors, cause);
  }

  refused(): void {
    // Whatever was changed meanwhile, the next attempt looks at it.
  }

  #candidateOf(index: number, selected: SelectedSecret): Candidate {
    const { secret, envelopeBytes } = selected;
    const { name, provider, notes, tags, expiresAt, mac, sealed, maskedValue, destination } = secret;
    const { principal, caller } = this.#author;
    const event = eventOf('secret.duplicated', secret, principal, caller, this.#dependencies.now());
    return {
      index,
      from: mac.tag,
      fields: { id: null, name, provider, notes, tags, expiresAt },
      changes: { provider, notes, tags, expiresAt },
      open: sealed && (async () => ({ value: await this.#open(index, selected), maskedValue })),
      placeOf: () => ({ destination, warnings: [] }),
      bytes: envelopeBytes,
      warnings: [],
      beside: { type: 'useSecret', secret, event },
    };
  }

  /** The rules of the owner that gets the copy. */
  #brokenRules({ fields, open }: Candidate, there: StoredSecret | undefined): Obstacle[] {
    const { type } = this.owner;
    const broken = new FieldErrors();
    checkName(fields.name, type, broken);
    const needsValue = type !== 'team' || (there && there.sealed !== null);
    return [
      ...(broken.any ? (['environment_variable_name'] as const) : []),
      ...(type === 'user' && fields.provider === null ? (['no_provider'] as const) : []),
      ...(needsValue && !open ? (['no_value'] as const) : []),
    ];
  }

  /** Checks that its value opens and that a gateway wrote it, before anything is written: so all obstacles are listed at once. */
  async #requireSound(index: number): Promise<void> {
    const selected = this.#found.get(index);
    // Without a value nothing is opened later, so that here alone the MAC is looked at.
    if (!selected || (selected.secret.sealed && this.#sound.get(selected.secret.id) === selected.secret.mac.tag))
      return;
    const turn = paceBatch(1 + selected.envelopeBytes / bytesPerUnit);
    if (turn) await turn;
    this.#author.caller.answer.throwIfStopped();
    (await this.#open(index, selected)).fill(0);
    this.#sound.set(selected.secret.id, selected.secret.mac.tag);
  }

  /**
   * The MAC is checked over what was selected, since that is what is copied, and not over what is read of it later.
   * @throws RecordRejected, KeyMissing, StoreConflict where it has changed meanwhile
   */
  async #open(index: number, { secret, envelope: small }: SelectedSecret): Promise<Uint8Array> {
    const { store, keyring } = this.#dependencies;
    const { sealed } = secret;
    const [large] = sealed && !small ? await store.findRecords(this.#copied.from, [secret.id]) : [];
    const envelope = small ?? (large?.mac.tag === secret.mac.tag ? large.sealed?.envelope : undefined);
    if (sealed && !envelope) throw new StoreConflict(index, 'version');
    const record = { ...secret, sealed: sealed && envelope ? { ...sealed, envelope } : null };
    return (await openRecordBytes(record, keyring())) ?? new Uint8Array();
  }
}

function tooMany(): never {
  const errors = new FieldErrors();
  errors
    .at('names')
    .add('required', `Is required: the owner has more than ${maxBatch} secrets. Copy them in several calls.`);
  errors.throwIfAny();
  throw new Error('too many secrets were not reported');
}

/** @param cause for the log: the first record that something other than a gateway wrote */
function duplicationFailed(errors: FieldError[], cause: unknown): DomainError {
  return new DomainError('DUPLICATION_FAILED', {
    description: 'The errors say for each secret what stands in the way. Nothing was copied.',
    errors: errors.toSorted((a, b) => Number(a.loc[1]) - Number(b.loc[1])),
    cause,
  });
}
