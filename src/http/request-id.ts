import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The id that the request was sent with if it is well-formed, otherwise a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const sent = request.headers['x-request-id'];
  return typeof sent === 'string' && /^[\w.:=+/-]{1,128}$/.test(sent) ? sent : randomUUID();
}
