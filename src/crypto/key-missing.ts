import { DomainError } from '../errors.ts';

/** What is stored may be sound, but the keyring has no key of this id that may open or verify it. */
export class KeyMissing extends DomainError {
  readonly kid: string;

  constructor(kid: string) {
    // It comes from the database. What is no `kid` of a keyring is not repeated.
    const named = /^[\w.-]{1,64}$/.test(kid) ? `the key ${kid}` : 'a key';
    super('SERVICE_UNAVAILABLE', {
      description: `The keyring lacks ${named} that this secret needs, or it is retired. The operator can put it back.`,
      retryAfterSeconds: 60,
    });
    this.kid = kid;
  }
}
