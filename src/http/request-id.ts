import { randomFillSync } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { withoutApiKeys } from '../identity/api-key.ts';

/** The id that the request was sent with if it is well-formed, otherwise a new one. An API key is none: it would be in the log. */
export function requestIdOf(request: IncomingMessage): string {
  const sent = request.headers['x-request-id'];
  const isId = typeof sent === 'string' && /^[\w.:=+/-]{1,128}$/.test(sent) && withoutApiKeys(sent) === sent;
  return isId ? sent : newId();
}

const idBytes = 16;
const random = Buffer.alloc(256 * idBytes);
let used = random.length;
const text = Buffer.from('00000000-0000-0000-0000-000000000000');
const digits = Buffer.from('0123456789abcdef');
const dash = 0x2d;

/** A random UUID (RFC 9562, section 5.4). Node's own function makes some twenty strings for one. */
function newId(): string {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  random[used + 6] = ((random[used + 6] ?? 0) & 0x0f) | 0x40;
  random[used + 8] = ((random[used + 8] ?? 0) & 0x3f) | 0x80;
  for (let at = 0, byte = used; at < text.length; at += 2, byte += 1) {
    if (text[at] === dash) at += 1;
    const value = random[byte] ?? 0;
    text[at] = digits[value >> 4] ?? 0;
    text[at + 1] = digits[value & 15] ?? 0;
  }
  used += idBytes;
  return text.toString('latin1');
}
