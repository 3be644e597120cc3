import { sentValues } from '../http/sent-values.ts';

/** The headers that `Connection` names, in lower case: they are about one connection, and are not forwarded (RFC 9110, section 7.6.1). */
export function namedByConnection(rawHeaders: readonly string[]): string[] {
  const lists = sentValues({ rawHeaders }, 'connection');
  if (lists.length === 0) return [];
  return lists.flatMap((list) => list.split(',').map((name) => name.trim().toLowerCase()));
}
