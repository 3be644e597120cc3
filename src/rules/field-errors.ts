import { DomainError, type ErrorCode, type FieldError } from '../errors.ts';

/** More are not told: a request can hold many more fields than anybody reads about. */
const maxErrors = 5000;

/**
 * Collects every rule that an input breaks, so that a caller learns of all of them at once. Paths are relative to the
 * input; the caller of an operation puts the place of the input before them.
 */
export class FieldErrors {
  readonly #errors: FieldError[];
  readonly #parent: FieldErrors | null;
  readonly #step: string | number;

  constructor(errors: FieldError[] = [], parent: FieldErrors | null = null, step: string | number = '') {
    this.#errors = errors;
    this.#parent = parent;
    this.#step = step;
  }

  /** The same collection, for rules about a field of the input, or about an item of a list. */
  at(step: string | number): FieldErrors {
    return new FieldErrors(this.#errors, this, step);
  }

  /** @param message the rule, never what was sent */
  add(type: string, message: string): void {
    if (this.#errors.length >= maxErrors) return;
    const loc = this.#path();
    const field = loc.findLast((step) => typeof step === 'string') ?? '';
    this.#errors.push({ field, loc, message, type });
  }

  /** Adds what was found about the value here. */
  addAll(found: FieldErrors): void {
    const path = this.#path();
    for (const error of found.#errors.slice(0, Math.max(0, maxErrors - this.#errors.length)))
      this.#errors.push({ ...error, loc: [...path, ...error.loc] });
  }

  /** Made where something is wrong: most fields keep every rule. */
  #path(): (string | number)[] {
    return this.#parent ? [...this.#parent.#path(), this.#step] : [];
  }

  get any(): boolean {
    return this.#errors.length > 0;
  }

  /** What was found so far. */
  get list(): readonly FieldError[] {
    return this.#errors;
  }

  /**
   * @param description what is wrong with them, where it is another code
   * @throws DomainError UNPROCESSABLE_ENTITY, or this code
   */
  throwIfAny(code: ErrorCode = 'UNPROCESSABLE_ENTITY', description = this.#whatToFix()): void {
    if (this.#errors.length === 0) return;
    const more = this.#errors.length < maxErrors ? '' : ` Only the first ${maxErrors.toLocaleString('en')} are listed.`;
    throw new DomainError(code, { description: `${description}${more}`, errors: this.#errors });
  }

  #whatToFix(): string {
    const fields = [...new Set(this.#errors.map((error) => error.field))].join(', ');
    return `Fix these fields and send the request again: ${fields}.`;
  }
}
