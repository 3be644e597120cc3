// Documents of mutations that write many secrets at once, and what is read of their effects.
import type { GraphQLAnswer, RequestOptions, TestGateway } from './gateway.ts';

const payload =
  '{ items { index action secret { id name placeholder version maskedValue provider notes tags expiresAt } warnings { field type } } totalCount }';

export const createSecrets = `mutation ($input: CreateSecretsInput!) { createSecrets(input: $input) ${payload} }`;

export const duplicateSecrets = `mutation ($input: DuplicateSecretsInput!) { duplicateSecrets(input: $input) ${payload} }`;

export interface Item {
  readonly index: number;
  readonly action: string;
  readonly secret: {
    readonly id: string;
    readonly name: string;
    readonly placeholder: string;
    readonly version: number;
    readonly maskedValue: string | null;
    readonly provider: string | null;
    readonly notes: string | null;
    readonly tags: readonly string[];
  } | null;
  readonly warnings: readonly { readonly field: string; readonly type: string }[];
}

/** @throws Error when the batch was refused */
export function itemsOf({ data, text }: GraphQLAnswer): Item[] {
  const items = data?.createSecrets?.items ?? data?.duplicateSecrets?.items;
  if (!items) throw new Error(text);
  return items;
}

export const actionsOf = (answer: GraphQLAnswer): string[] => itemsOf(answer).map(({ action }) => action);

/** The code of a refusal, and each field that it names, with its type. */
export function refusalOf({ errors }: GraphQLAnswer): { code: string | undefined; broken: string[] } {
  const [error] = errors;
  const told = error?.extensions.errors ?? [];
  return {
    code: error?.extensions.code,
    broken: told.map(({ loc, type }) => `${loc.slice(1).join('.')} ${type}`),
  };
}

const list = `query ($owner: OwnerInput!) {
  secrets(owner: $owner, first: 1000) { totalCount nodes { id name version maskedValue provider notes tags } }
}`;
const events = `query ($owner: OwnerInput!) {
  auditEvents(owner: $owner, first: 1000) { totalCount nodes { type secretId secretName version } }
}`;

export interface Left {
  readonly secrets: { readonly totalCount: number; readonly nodes: readonly NonNullable<Item['secret']>[] };
  readonly events: { readonly totalCount: number; readonly nodes: readonly Event[] };
}

interface Event {
  readonly type: string;
  readonly secretId: string;
  readonly secretName: string;
  readonly version: number;
}

/** What an owner has, and what is told of it. */
export async function leftOf(gateway: TestGateway, owner: object, options: RequestOptions): Promise<Left> {
  const [secrets, told] = [await gateway.run(list, { owner }, options), await gateway.run(events, { owner }, options)];
  if (!secrets.data || !told.data) throw new Error(secrets.text + told.text);
  return { secrets: secrets.data.secrets, events: told.data.auditEvents };
}
