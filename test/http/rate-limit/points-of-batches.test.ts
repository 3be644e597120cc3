import { expect, it } from 'vitest';
import { type GraphQLAnswer, storeNames, TestGateway } from '../../support/gateway.ts';

/** What they return costs nothing more. */
const createSecrets = 'mutation ($input: CreateSecretsInput!) { createSecrets(input: $input) { totalCount } }';
const duplicateSecrets = 'mutation ($input: DuplicateSecretsInput!) { duplicateSecrets(input: $input) { totalCount } }';

const remaining = ({ headers }: GraphQLAnswer) => Number(headers.get('ratelimit-remaining'));

it.each(storeNames)(
  'a point more is taken for every 10 secrets that are written or copied at once, also by a dry run, on %s',
  async (store) => {
    const gateway = await TestGateway.start(store, { RATE_LIMIT: '500/1h' });
    const token = await gateway.issuer.token({ scope: 'secrets:read secrets:write secrets:resolve' });
    const left = async () => remaining(await gateway.run('{ __typename }', {}, { token }));
    const points = async (query: string, input: object) => {
      const before = await left();
      const { errors } = await gateway.run(query, { input }, { token });
      return [before - (await left()) - 1, errors[0]?.extensions.code];
    };
    const [owner, to] = ['one', 'two'].map((connectorId) => ({ teamId: 'red', connectorId }));
    const secrets = Array.from({ length: 500 }, (_, index) => ({ name: `S ${index}`, value: `value ${index}` }));
    expect(await points(createSecrets, { owner, secrets, dryRun: true })).toEqual([55, undefined]);
    const some = { owner, secrets: secrets.slice(0, 45) };
    expect(await points(createSecrets, some)).toEqual([9, undefined]);
    expect(await points(createSecrets, some)).toEqual([9, 'CONFLICT_ERROR']);
    const copy = { from: owner, to };
    expect(await points(duplicateSecrets, { ...copy, dryRun: true })).toEqual([9, undefined]);
    expect(await points(duplicateSecrets, { ...copy, names: ['S 1', 'S 2'] })).toEqual([5, undefined]);
    expect(await points(duplicateSecrets, copy)).toEqual([9, 'DUPLICATION_FAILED']);
    const missing = Array.from({ length: 300 }, (_, index) => `missing ${index}`);
    expect(await points(duplicateSecrets, { ...copy, names: missing })).toEqual([35, 'DUPLICATION_FAILED']);
    await gateway.close();
  },
);
