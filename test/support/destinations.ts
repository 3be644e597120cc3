import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { GraphQLAnswer, StoreName, TestGateway } from './gateway.ts';
import { Sealing } from './sealing.ts';

const shown = 'id version provider destination { origin header format paths } useUrl lastUsedAt';
const payload = `{ secret { ${shown} } warnings { field type message } }`;
export const create = `mutation ($input: CreateSecretInput!) { createSecret(input: $input) ${payload} }`;
export const update = `mutation ($input: UpdateSecretInput!) { updateSecret(input: $input) ${payload} }`;
export const rollback = `mutation ($input: RollbackSecretInput!) { rollbackSecret(input: $input) { secret { ${shown} } } }`;
export const batch = `mutation ($input: CreateSecretsInput!) {
  createSecrets(input: $input) { items { action secret { ${shown} } warnings { field type } } }
}`;
export const duplicate = `mutation ($input: DuplicateSecretsInput!) {
  duplicateSecrets(input: $input) { items { action secret { ${shown} } warnings { field type } } }
}`;
export const read = `query ($id: ID!) {
  secret(id: $id) { ${shown} versions { version destination { origin header format paths } } }
}`;
export const entity = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Secret { ${shown} } } }`;

export const openai = {
  origin: 'https://api.openai.com',
  header: 'Authorization',
  format: 'Bearer {value}',
  paths: null,
};
export const anthropic = { origin: 'https://api.anthropic.com', header: 'x-api-key', format: '{value}', paths: null };
export const github = { ...openai, origin: 'https://api.github.com' };
export const byHand = { origin: 'https://api.example.com', header: 'X-Key', format: 'k={value}', paths: ['/v1'] };
export const value = 'a value that goes far';
export const required = [['destination', 'input.destination', 'destination_required']];

export interface Shown {
  readonly id: string;
  readonly version: number;
  readonly destination: object | null;
  readonly useUrl: string | null;
}

interface Told {
  readonly field: string;
  readonly type: string;
  readonly message: string;
}

interface Payload {
  readonly secret: Shown;
  readonly warnings: readonly Told[];
  readonly items: readonly Item[];
}

interface Item {
  readonly action: string;
  readonly secret: Shown;
  readonly warnings: readonly Told[];
}

/** Secrets of a team, and where their values may be sent. */
export class Destinations {
  readonly sealing: Sealing;
  readonly gateway: TestGateway;
  readonly #matching: string;

  private constructor(sealing: Sealing, matching: string) {
    this.sealing = sealing;
    this.gateway = sealing.gateway;
    this.#matching = matching;
  }

  static async start(store: StoreName, env: Record<string, string> = {}): Promise<Destinations> {
    const sealing = await Sealing.start(store, env);
    const scope = 'secrets:read secrets:write secrets:resolve secrets:match';
    return new Destinations(sealing, await sealing.gateway.issuer.token({ scope }));
  }

  /** The payload of a mutation. */
  run = async (query: string, input: object, token?: string): Promise<Payload> => {
    const { data, errors } = await this.gateway.run(query, { input }, token === undefined ? {} : { token });
    expect(errors).toEqual([]);
    const [payload] = Object.values(data) as [Payload];
    return payload;
  };

  /** The same for somebody who may copy values, and be told which are the same. */
  runMatching = (query: string, input: object): Promise<Payload> => this.run(query, input, this.#matching);

  newInput = (input: object = {}): object => ({ owner: { teamId: 'red' }, name: `n ${randomUUID()}`, value, ...input });

  made = async (input: object = {}): Promise<Shown> => (await this.run(create, this.newInput(input))).secret;

  changed = async (input: object): Promise<Shown> => (await this.run(update, input)).secret;

  find = async (id: string) => (await this.gateway.run(read, { id })).data.secret;

  /** The fields that break a rule. What was sent is not repeated: it has the word evil in it. */
  refused = async (query: string, input: object): Promise<unknown> => {
    const answer = await this.gateway.run(query, { input });
    expect(answer.errors[0]?.extensions.code).toBe('UNPROCESSABLE_ENTITY');
    expect(answer.text).not.toContain('evil');
    return broken(answer);
  };
}

function broken({ errors }: GraphQLAnswer) {
  return errors[0]?.extensions.errors?.map(({ field, loc, type }) => [field, loc.join('.'), type]);
}
