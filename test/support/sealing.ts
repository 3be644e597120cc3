import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { type SealOptions, sealValue } from '../../src/client/seal-value.ts';
import { type GraphQLAnswer, type RequestOptions, type StoreName, TestGateway } from './gateway.ts';
import { createSecret } from './graphql.ts';
import { type ByHand, type Published, sealByHand } from './seal-by-hand.ts';

const create = createSecret('id name version maskedValue', 'warnings { field type }');
const update = `mutation ($input: UpdateSecretInput!) {
  updateSecret(input: $input) { secret { id name version maskedValue } warnings { field type } }
}`;

export function newName(): string {
  return `S_${randomUUID().replaceAll('-', '')}`;
}

/** A gateway that values are sealed to. */
export class Sealing {
  readonly gateway: TestGateway;
  /** X25519 first. */
  readonly keys: readonly Published[];

  constructor(gateway: TestGateway, keys: readonly Published[]) {
    this.gateway = gateway;
    this.keys = keys;
  }

  static async start(store: StoreName, env: Record<string, string> = {}): Promise<Sealing> {
    const gateway = await TestGateway.start(store, { RATE_LIMIT: 'off', ...env });
    return new Sealing(gateway, (await gateway.run('{ sealingKeys { kid alg jwk } }')).data.sealingKeys);
  }

  /** As the client does it, for ada's own secret unless said otherwise. */
  seal(value: string, options: Partial<SealOptions>): Promise<string> {
    return sealValue(value, { sealingKey: this.#key, subject: 'ada', ...options });
  }

  byHand(value: string | Buffer, header: Record<string, unknown>, more: ByHand = {}): string {
    return sealByHand(value, this.#key, { ...more, header });
  }

  create(input: Record<string, unknown>, options?: RequestOptions): Promise<GraphQLAnswer> {
    return this.gateway.run(create, { input: { provider: 'openai', ...input } }, options);
  }

  update(input: Record<string, unknown>, options?: RequestOptions): Promise<GraphQLAnswer> {
    return this.gateway.run(update, { input }, options);
  }

  /** A secret whose value was sent in clear. */
  async made(input: Record<string, unknown> = {}): Promise<{ id: string; name: string; maskedValue: string }> {
    const { data, text } = await this.create({ name: newName(), value: 'the first value of it', ...input });
    if (!data?.createSecret) throw new Error(text);
    return data.createSecret.secret;
  }

  get #key(): Published {
    const [key] = this.keys;
    if (!key) throw new Error('no sealing key is published');
    return key;
  }
}

export function expectSealRefused(answer: GraphQLAnswer, type: string): void {
  expect(answer.status).toBe(422);
  expect(answer.errors).toHaveLength(1);
  expect(answer.errors[0]?.extensions).toMatchObject({
    code: 'UNPROCESSABLE_CONTENT',
    status: 422,
    type: 'unprocessable_content_error',
    description: expect.stringMatching(/\.$/),
    errors: [{ field: 'sealedValue', loc: ['input', 'sealedValue'], type, message: expect.stringMatching(/\.$/) }],
  });
}
