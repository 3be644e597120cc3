import type { SealingKey as Key } from '../../secrets/list-sealing-keys.ts';
import { builder } from './builder.ts';

const SealingKey = builder.objectRef<Key>('SealingKey').implement({
  description:
    'A public key. What is sealed to it is read by the gateway alone, and by nothing in between: no router, no proxy, no log.',
  fields: (t) => ({
    kid: t.exposeString('kid', { description: 'The id of the key. It stands in the header of what is sealed to it.' }),
    alg: t.exposeString('alg', { description: 'How to agree on a key with it (RFC 7518): `ECDH-ES+A256KW`.' }),
    jwk: t.expose('jwk', { type: 'JSON', description: 'The public key as a JWK (RFC 7517).' }),
  }),
});

builder.queryField('sealingKeys', (t) =>
  t.field({
    type: [SealingKey],
    description:
      'The keys to seal values to, one for X25519 and one for P-256. They change: read them again after 5 minutes. The same are at `/.well-known/jwks.json`, without credentials.',
    directives: { authenticated: {} },
    resolve: (_root, _args, { operations }) => operations.listSealingKeys(),
  }),
);
