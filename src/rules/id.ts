import type { FieldErrors } from './field-errors.ts';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A UUID of any version (RFC 9562), in lower case. */
export function checkId(id: string, errors: FieldErrors): string {
  const lower = id.toLowerCase();
  if (!uuidPattern.test(lower)) errors.add('uuid', 'Must be a UUID, such as 4c07bc67-57ea-42dd-b702-c2d6c45419fc.');
  return lower;
}
