import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** What every API key begins with. */
export const apiKeyPrefix = 'sgk_';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const randomLength = 43;
const checksumLength = 6;
const pattern = new RegExp(`^${apiKeyPrefix}[0-9A-Za-z]{${randomLength + checksumLength}}$`);
/** Characters of a key by which people recognise it. Some 220 random bits remain. */
const shownLength = apiKeyPrefix.length + 5;

/** What may be a key, or most of one, inside a longer text. */
const keyInText = new RegExp(`${apiKeyPrefix}[0-9A-Za-z]{20,}`, 'g');

/** A text without the API keys in it: somebody may write a key where a name belongs, and names are repeated. */
export function withoutApiKeys(text: string): string {
  return text.replace(keyInText, `${apiKeyPrefix}…`);
}

/** A new key: 256 random bits, and a checksum by which a scanner or a form tells a key from a typing error. */
export function newApiKey(): string {
  const random = apiKeyPrefix + base62(BigInt(`0x${randomBytes(32).toString('hex')}`), randomLength);
  return random + checksumOf(random);
}

/** Whether this can be a key: its form and its checksum are right. */
export function isApiKey(text: string): boolean {
  return pattern.test(text) && text.endsWith(checksumOf(text.slice(0, -checksumLength)));
}

/** What a store keeps of a key. A key has 256 random bits, so that no slow hash is needed. */
export function hashOfApiKey(key: string): string {
  return hash('sha256', key, 'hex');
}

/** The beginning of a key, for people. */
export function shownPrefixOf(key: string): string {
  return key.slice(0, shownLength);
}

function checksumOf(text: string): string {
  return base62(crc32(text), checksumLength);
}

/** In `length` digits. */
function base62(number: bigint | number, length: number): string {
  let rest = BigInt(number);
  let digits = '';
  while (digits.length < length) {
    digits = alphabet[Number(rest % 62n)] + digits;
    rest /= 62n;
  }
  return digits;
}
