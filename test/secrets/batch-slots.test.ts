import { expect, it } from 'vitest';
import type { Caller } from '../../src/model/caller.ts';
import { Answer } from '../../src/runtime/answer.ts';
import { LargeWork } from '../../src/runtime/large-work.ts';
import { maxBatch } from '../../src/secrets/batch-input.ts';
import { createSecrets } from '../../src/secrets/create-secrets.ts';
import type { Dependencies } from '../../src/secrets/dependencies.ts';
import { duplicateSecrets } from '../../src/secrets/duplicate-secrets.ts';
import { ada } from '../support/documents.ts';

const read = new Error('something was read or opened');
const touched = () => {
  throw read;
};

/** Every slot is taken, and whatever is read of the store or opened fails. */
const dependencies = {
  largeWork: new LargeWork({ maxAtOnce: 0, waitMs: 1 }),
  store: new Proxy({}, { get: touched }),
  keyring: touched,
  trace: touched,
  now: () => new Date(),
  running: new Set<string>(),
} as unknown as Dependencies;
const scopes = new Set(['secrets:read', 'secrets:write', 'secrets:resolve'] as const);
const caller: Caller = {
  principal: { ...ada, scopes, teams: [{ id: 'red', role: 'member' }] },
  requestId: 'r',
  answer: new Answer(),
  secureTransport: true,
  writeDeadlineMs: Number.POSITIVE_INFINITY,
};
const names = Array.from({ length: maxBatch }, (_, index) => `S_${index}`);
const rules = { onConflict: 'update', dryRun: true } as const;
const create = (count: number) => {
  const secrets = names.slice(0, count).map((name) => ({ name, sealedValue: 'sealed', provider: 'aws' }));
  return createSecrets(dependencies, caller, { ...rules, owner: {}, secrets, reads: false });
};
const duplicate = (some: readonly string[] | null) =>
  duplicateSecrets(dependencies, caller, { ...rules, from: {}, to: { teamId: 'red' }, names: some });

it('a batch of many waits for its slot before anything is read or opened, and small ones need none', async () => {
  const busy = { code: 'SERVICE_UNAVAILABLE' };
  await expect(create(maxBatch)).rejects.toMatchObject(busy);
  await expect(duplicate(names)).rejects.toMatchObject(busy);
  // They may be as many.
  await expect(duplicate(null)).rejects.toMatchObject(busy);
  await expect(create(50)).rejects.toBe(read);
  await expect(duplicate(names.slice(0, 50))).rejects.toBe(read);
});
