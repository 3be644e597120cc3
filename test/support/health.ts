import { expect } from 'vitest';
import { newUser, type User, type UserKind, useAs } from './broker.ts';
import type { FakeProvider } from './fake-provider.ts';
import type { GraphQLAnswer, RequestOptions, TestGateway } from './gateway.ts';
import { createSecret } from './graphql.ts';

export const mayCheck = 'secrets:read secrets:write secrets:use';

export const checkSecret = `mutation ($input: CheckSecretInput!) {
  checkSecret(input: $input) { result secret { id version name health { status source checkedAt } } } }`;

const events = `query ($owner: OwnerInput!, $id: ID) {
  auditEvents(owner: $owner, filter: { secretId: $id }) { nodes { type actor { kind id } requestId version method origin } } }`;

export interface Checkable {
  readonly id: string;
  readonly name: string;
  readonly key: string;
}

/** Somebody with a gateway, and what that person does with keys of the provider. */
export class Keeper {
  readonly gateway!: TestGateway;
  readonly provider!: FakeProvider;
  readonly user!: User;
  /** What is `{}` for the user, as its auditor names it. */
  readonly owner!: { readonly teamId?: string };
  readonly auditor!: RequestOptions;

  private constructor(of: Pick<Keeper, 'gateway' | 'provider' | 'user' | 'owner' | 'auditor'>) {
    Object.assign(this, of);
  }

  /** Somebody of a person's or an API key's own; what it has, nobody else has. */
  static async new(gateway: TestGateway, provider: FakeProvider, kind: UserKind = 'a JWT'): Promise<Keeper> {
    const user = await newUser(gateway, kind, mayCheck);
    if (kind === 'a JWT') return new Keeper({ gateway, provider, user, owner: {}, auditor: user.options });
    const { data } = await gateway.run('{ viewer { teams { id } } }', {}, user.options);
    const teamId: string = data.viewer.teams[0].id;
    const admin = { sub: 'grace', teams: [{ id: teamId, role: 'admin' }], scope: 'secrets:read' };
    const auditor = { token: await gateway.issuer.token(admin) };
    return new Keeper({ gateway, provider, user, owner: { teamId }, auditor });
  }

  /** The same person at another gateway. */
  at(gateway: TestGateway): Keeper {
    return new Keeper({ ...this, gateway });
  }

  run(query: string, variables: Record<string, unknown>): Promise<GraphQLAnswer> {
    return this.gateway.run(query, variables, this.user.options);
  }

  /** A secret whose key the provider knows. */
  async newSecret(input: Record<string, unknown> = {}): Promise<Checkable> {
    const name = `KEY_${crypto.randomUUID().replaceAll('-', '')}`;
    const key = typeof input.value === 'string' ? input.value : this.provider.newKey();
    const sent = { name, provider: 'acme', value: key, ...input };
    const { data, text } = await this.run(createSecret('id'), { input: sent });
    if (!data?.createSecret) throw new Error(text);
    return { id: data.createSecret.secret.id, name, key };
  }

  check(id: string, more: Record<string, unknown> = {}): Promise<GraphQLAnswer> {
    return this.run(checkSecret, { input: { id, ...more } });
  }

  /** Uses the secret. @returns the status of the answer */
  async use(id: string, path = 'v1/chat'): Promise<number> {
    return (await useAs(this.gateway, this.user, `${id}/${path}`)).status;
  }

  /** What a check says. */
  async result(id: string): Promise<string> {
    const { data, errors } = await this.check(id);
    expect(errors).toEqual([]);
    return data.checkSecret.result;
  }

  /** The health as [status, source], or null. */
  async health(id: string): Promise<[string, string] | null> {
    const { data } = await this.run('query ($id: ID!) { secret(id: $id) { health { status source } } }', { id });
    const { health } = data.secret;
    return health && [health.status, health.source];
  }

  /** The types of its events, in their order. */
  async events(id: string): Promise<string[]> {
    return (await this.eventsOf(id)).map(({ type }) => type.replace('secret.', ''));
  }

  async eventsOf(id: string): Promise<{ type: string; [field: string]: unknown }[]> {
    const { data, text } = await this.gateway.run(events, { owner: this.owner, id }, this.auditor);
    if (!data) throw new Error(text);
    return data.auditEvents.nodes;
  }
}
