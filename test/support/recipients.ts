// What a client may send as `recipient` and is no sound public key. Each entry is a JWK or anything else that JSON can say.

const x25519 = { kty: 'OKP', crv: 'X25519', x: '3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08' };
/** The base point, and so a sound key. */
const p256 = {
  kty: 'EC',
  crv: 'P-256',
  x: 'axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY',
  y: 'T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU',
};

const hex = (digits: string) => Buffer.from(digits, 'hex').toString('base64url');
const deep = (levels: number): unknown => (levels === 0 ? 'x' : { x: deep(levels - 1) });

/** RFC 7748, section 6.1, and https://cr.yp.to/ecdh.html#validate: every point of small order, in every form. */
export const smallOrder: readonly string[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880',
  '4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7',
  'd9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'daffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
];

export const soundRecipients: Readonly<Record<string, unknown>> = {
  X25519: x25519,
  'P-256': p256,
  'one that WebCrypto exports': { ...x25519, key_ops: [], ext: true },
  'one with everything that fits': { ...p256, use: 'enc', alg: 'ECDH-ES+A256KW', key_ops: ['deriveKey'], kid: 'mine' },
  'one with members that nobody knows': { ...x25519, x5c: ['MIIB'], expires: 1, note: null, kid: null },
};

export const unsoundRecipients: Readonly<Record<string, unknown>> = {
  'a text': 'x25519',
  'a number': 7,
  'a boolean': true,
  'a list': [x25519],
  'an empty list': [],
  'an empty object': {},
  'a JWK set': { keys: [x25519] },
  'a PEM':
    '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=\n-----END PUBLIC KEY-----\n',
  'JSON as a text': JSON.stringify(x25519),
  'a private key': { ...x25519, d: 'dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo' },
  'a private key that is null': { ...x25519, d: null },
  'members of an RSA private key': { ...x25519, p: 'AQ', q: 'AQ' },
  'a symmetric key': { kty: 'oct', k: 'dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo' },
  'an RSA key': { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
  Ed25519: { ...x25519, crv: 'Ed25519' },
  X448: { ...x25519, crv: 'X448' },
  'P-384': { ...p256, crv: 'P-384' },
  secp256k1: { ...p256, crv: 'secp256k1' },
  'the curve in another case': { ...x25519, crv: 'x25519' },
  'no curve': { kty: 'OKP', x: x25519.x },
  'the type of the other curve': { ...x25519, kty: 'EC' },
  'no type': { crv: 'X25519', x: x25519.x },
  'no coordinate': { kty: 'OKP', crv: 'X25519' },
  'one coordinate of two': { kty: 'EC', crv: 'P-256', x: p256.x },
  'a coordinate that is a number': { ...x25519, x: 7 },
  'a coordinate that is a list': { ...x25519, x: [x25519.x] },
  'an empty coordinate': { ...x25519, x: '' },
  '31 bytes': { ...x25519, x: hex('11'.repeat(31)) },
  '33 bytes': { ...x25519, x: hex('11'.repeat(33)) },
  padding: { ...x25519, x: `${x25519.x}=` },
  'base64 instead of base64url': { ...x25519, x: x25519.x.replaceAll('-', '+').replaceAll('_', '/') },
  'other last bits': { ...x25519, x: `${x25519.x.slice(0, -1)}9` },
  'a space in it': { ...x25519, x: ` ${x25519.x}` },
  'a point that is not on the curve': { ...p256, y: p256.x },
  'the point zero': { ...p256, x: hex('00'.repeat(32)), y: hex('00'.repeat(32)) },
  'a coordinate beyond the field': { ...p256, x: hex('ff'.repeat(32)) },
  'a number beyond the field': {
    ...x25519,
    x: hex('f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'),
  },
  'the high bit': { ...x25519, x: hex('0900000000000000000000000000000000000000000000000000000000000080') },
  'a key for signatures': { ...p256, use: 'sig' },
  'an unknown use': { ...p256, use: 'both' },
  'a use that is a list': { ...p256, use: ['enc'] },
  'another algorithm': { ...x25519, alg: 'ECDH-ES' },
  'an algorithm for signatures': { ...p256, alg: 'ES256' },
  'an algorithm that is null': { ...p256, alg: null },
  'an operation of signatures': { ...p256, key_ops: ['verify'] },
  'one operation of two that fits': { ...p256, key_ops: ['deriveKey', 'sign'] },
  'operations that are a text': { ...p256, key_ops: 'deriveKey' },
  'a prototype': JSON.parse(`{"__proto__":${JSON.stringify(x25519)}}`),
  'a prototype beside a key': JSON.parse(`{"__proto__":{},${JSON.stringify(x25519).slice(1)}`),
  'a constructor': { constructor: x25519 },
  'nested members': { ...x25519, ext: deep(20) },
  'many members': { ...x25519, ...Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`m${index}`, 'x'])) },
  'a huge member': { ...x25519, x5c: ['x'.repeat(400_000)] },
  'a huge coordinate': { ...x25519, x: 'A'.repeat(400_000) },
  'a huge name': { ...x25519, ['n'.repeat(100_000)]: 'x' },
  'a huge list': { ...x25519, key_ops: Array(2000).fill('deriveKey') },
  ...Object.fromEntries(
    smallOrder.map((digits) => [`the point of small order ${digits}`, { ...x25519, x: hex(digits) }]),
  ),
};
