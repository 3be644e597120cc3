import { randomBytes } from 'node:crypto';

/** A stand-in for a value in templates, such as `sec_a23f23d26`: 36 random bits, unique for the owner by the store. */
export function newPlaceholder(): string {
  return `sec_${randomBytes(5).toString('hex').slice(0, 9)}`;
}
