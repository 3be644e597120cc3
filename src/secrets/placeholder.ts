import { randomBytes } from 'node:crypto';

/** Stands for a value in templates, such as `sec_a23f23d26`: 36 random bits. The store keeps it unique for the owner. */
export function newPlaceholder(): string {
  return `sec_${randomBytes(5).toString('hex').slice(0, 9)}`;
}
