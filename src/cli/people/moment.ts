import { UsageError } from '../usage-error.ts';

const day = /^\d{4}-\d{2}-\d{2}$/;
const moment = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/i;

/**
 * A day, which begins in UTC, or a moment with its time zone, as the gateway takes it.
 * @throws UsageError that does not repeat it
 */
export function parseMoment(option: string, text: string): string {
  const form = day.test(text) ? `${text}T00:00:00Z` : text;
  const date = moment.test(form) ? new Date(form) : null;
  // Date makes the 2nd of March of the 30th of February.
  const isThere = date !== null && !Number.isNaN(date.getTime()) && isDay(form.slice(0, 10));
  if (isThere) return date.toISOString();
  throw new UsageError(`${option} must be a day or a moment: ${option} 2027-01-31, or ${option} 2027-01-31T12:00:00Z`);
}

function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
