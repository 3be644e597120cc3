import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Keyring, type KeyringKey, opens } from './keyring.ts';

/** The length of a MAC in bytes. */
export const macBytes = 16;

/** HMAC-SHA-256 under the active key, cut to 16 bytes. Marks what the gateway hands out and must recognise later. */
export function mac(keyring: Keyring, purpose: string, message: string): Uint8Array {
  return macWith(keyring.active, purpose, message);
}

/** Whether any key that opens made this MAC. */
export function verifyMac(keyring: Keyring, purpose: string, message: string, tag: Uint8Array): boolean {
  for (const key of keyring.keys.values()) {
    const isItsKey = opens(key.state) && tag.length === macBytes;
    if (isItsKey && timingSafeEqual(macWith(key, purpose, message), tag)) return true;
  }
  return false;
}

function macWith(key: KeyringKey, purpose: string, message: string): Uint8Array {
  return createHmac('sha256', key.macKey)
    .update(JSON.stringify([purpose, message]))
    .digest()
    .subarray(0, macBytes);
}
