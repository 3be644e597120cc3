import { DomainError, type FieldError } from '../errors.ts';

/**
 * Collects every rule that an input breaks, so that a caller learns of all of them at once. Paths are relative to the
 * input; the caller of an operation puts the place of the input before them.
 */
export class FieldErrors {
  readonly #errors: FieldError[];
  readonly #path: readonly (string | number)[];

  constructor(errors: FieldError[] = [], path: readonly (string | number)[] = []) {
    this.#errors = errors;
    this.#path = path;
  }

  /** The same collection, for rules about a field of the input, or about an item of a list. */
  at(step: string | number): FieldErrors {
    return new FieldErrors(this.#errors, [...this.#path, step]);
  }

  /** @param message the rule, never what was sent */
  add(type: string, message: string): void {
    const field = this.#path.findLast((step) => typeof step === 'string') ?? '';
    this.#errors.push({ field, loc: [...this.#path], message, type });
  }

  /** Adds what was found about the value here. */
  addAll(found: FieldErrors): void {
    for (const error of found.#errors) this.#errors.push({ ...error, loc: [...this.#path, ...error.loc] });
  }

  get any(): boolean {
    return this.#errors.length > 0;
  }

  /** @throws DomainError UNPROCESSABLE_ENTITY */
  throwIfAny(): void {
    if (this.#errors.length === 0) return;
    const fields = [...new Set(this.#errors.map((error) => error.field))].join(', ');
    throw new DomainError('UNPROCESSABLE_ENTITY', {
      description: `Fix these fields and send the request again: ${fields}.`,
      errors: this.#errors,
    });
  }
}
