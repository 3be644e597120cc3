import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { withoutApiKeys } from '../identity/api-key.ts';

/** The id that the request was sent with if it is well-formed, otherwise a new one. An API key is none: it would be in the log. */
export function requestIdOf(request: IncomingMessage): string {
  const sent = request.headers['x-request-id'];
  const isId = typeof sent === 'string' && /^[\w.:=+/-]{1,128}$/.test(sent) && withoutApiKeys(sent) === sent;
  return isId ? sent : randomUUID();
}
