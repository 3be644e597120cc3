import type { DomainError } from '../errors.ts';

/** What to do about each reason that a store gives: docs/running.md, Health. */
const fixes: Readonly<Record<string, string>> = {
  unreachable: 'It cannot be connected to, or its file cannot be read. Check the network, the server or the disk.',
  'no-primary': 'MongoDB has no primary. Wait for the election, or check the members.',
  'no-answer': 'It does not answer in time. Check its load.',
  'not-allowed':
    'It refuses the user. On MongoDB give the user the roles readWrite and dbAdmin, on SQLite make the file writable.',
  throttled: 'It refuses commands because there are too many. Give it more capacity.',
  'no-space': 'Its disk is full. Free some space.',
  busy: 'Another process writes to the SQLite database. End that process.',
  damaged: 'The SQLite database is damaged. Restore it from its backup.',
  'no-memory': 'There is no memory left. Give the process more.',
};

/** For an operator: why a command could not use the store, and what to do. */
export function storeFailure({ code, message, details: { reason, description } }: DomainError): string {
  if (reason === undefined) return [`${code}: ${message}`, description].filter(Boolean).join(' ');
  const fix = fixes[reason] ?? 'It ended the command. Wait a moment.';
  return `DATABASE_URL: the store cannot be used now (${reason}). ${fix} Then run this again.`;
}
