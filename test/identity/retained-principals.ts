import { KeyObject } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { generateKeyPair, SignJWT } from 'jose';
import { usualClaims } from '../../src/identity/claims.ts';
import type { Issuer } from '../../src/identity/issuer.ts';
import { retainedBytes } from '../../src/identity/principal-cache.ts';
import { createTokenVerifier } from '../../src/identity/verify-token.ts';

/** Sends its parent what the heap holds of the principals of verified tokens. To be run with --expose-gc. */
const { publicKey, privateKey } = await generateKeyPair('ES256');
const issuer: Issuer = {
  issuer: 'issuer',
  audience: ['audience'],
  audienceClaim: ['aud'],
  algorithms: ['ES256'],
  claims: usualClaims,
  keySet: { verify: (_header, check) => check(KeyObject.from(publicKey)), generation: () => 0 },
};

const kinds: Record<string, { count: number; teams: (index: number) => unknown[] }> = {
  'no teams': { count: 2000, teams: () => [] },
  'a hundred teams by UUID': { count: 400, teams: () => many(100, () => crypto.randomUUID()) },
  'twenty long names': { count: 400, teams: (index) => many(20, (n) => `${index} ${n} `.padEnd(200, 'x')) },
  'twenty long names in Greek': { count: 400, teams: (index) => many(20, (n) => `${index} ${n} `.padEnd(100, 'ω')) },
  'names with escapes': { count: 400, teams: (index) => many(50, (n) => `${index}\u0001${n}\n"`.padEnd(40, '-')) },
  'roles beside the names': {
    count: 100,
    teams: (index) => many(150, (n) => ({ id: `${index} ${n}`, role: 'admin' })),
  },
  'a thousand teams': { count: 150, teams: (index) => many(1000, (n) => (n * 1000 + index).toString(36)) },
  'more than there is room for': { count: 900, teams: (index) => many(1000, (n) => (n * 1000 + index).toString(36)) },
};

const results: Record<string, { held: number; estimated: number }> = {};
for (const [kind, { count, teams }] of Object.entries(kinds)) {
  const verifyToken = createTokenVerifier([issuer]);
  const verifyNew = async (index: number) =>
    verifyToken(
      await new SignJWT({ teams: teams(index), scope: 'secrets:read secrets:write' })
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer('issuer')
        .setAudience('audience')
        .setSubject(`the user ${index}`)
        .setExpirationTime('1h')
        .sign(privateKey),
    );
  let estimated = 0;
  // Until all is compiled.
  for (let index = 0; index < 20; index += 1) await verifyNew(index);
  const before = await heldBytes();
  for (let index = 20; index < 20 + count; index += 1) estimated += retainedBytes(await verifyNew(index));
  results[kind] = { held: (await heldBytes()) - before, estimated };
  // The verifier is in use until here.
  await verifyNew(0);
}
process.send?.(results);

function many<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

async function heldBytes(): Promise<number> {
  for (let round = 0; round < 4; round += 1) {
    await setTimeout(1);
    globalThis.gc?.();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
