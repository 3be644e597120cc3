import { describe, expect, it } from 'vitest';
import { recipientOf } from '../../src/crypto/recipient.ts';
import { curves, newRecipient } from '../support/deliveries.ts';
import { soundRecipients, unsoundRecipients } from '../support/recipients.ts';

describe('a recipient', () => {
  it.each(Object.entries(soundRecipients))('can be %s', (_, jwk) => {
    expect(recipientOf(jwk)?.key.type).toBe('public');
  });

  it.each(curves)('can be any key that is made on %s', async (curve) => {
    for (let made = 0; made < 50; made += 1) {
      expect(recipientOf((await newRecipient(curve)).publicJwk)).toMatchObject({ curve });
    }
  });

  it.each(Object.entries(unsoundRecipients))('cannot be %s', (_, jwk) => {
    expect(recipientOf(jwk)).toBeNull();
  });

  it('is read from members of its own only', () => {
    const { kty, crv, x } = soundRecipients.X25519 as Record<string, string>;
    expect(recipientOf(Object.create({ kty, crv, x }))).toBeNull();
    expect(recipientOf(Object.assign(Object.create({ d: 'inherited' }), { kty, crv, x }))).not.toBeNull();
  });
});
