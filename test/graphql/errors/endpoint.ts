import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { buildSchema, GraphQLError, type GraphQLObjectType, type GraphQLScalarType, graphql } from 'graphql';
import { createEngine } from '../../../src/graphql/endpoint/engine.ts';
import { graphqlResponseType } from '../../../src/graphql/endpoint/response-type.ts';
import { Answer } from '../../../src/runtime/answer.ts';
import type { AnswerError } from '../../support/gateway.ts';
import { openStreamOn, subscriptionsForTest } from '../../support/subscriptions.ts';

export const schema = buildSchema(/* GraphQL */ `
  directive @tagged(label: String!, status: Status) on FIELD
  scalar DateTime
  enum Status { ACTIVE DISABLED REVOKED }
  type User { id: ID! secrets(first: Int): [Secret!]! }
  type Team { id: ID! secrets(first: Int): [Secret!]! }
  union SecretOwner = User | Team
  interface Node { id: ID! }
  type Secret implements Node { id: ID! name: String! owner: SecretOwner! tags: [String!]! version: Int! status: Status! parent: Secret }
  type SecretConnection { totalCount: Int! nodes: [Secret!]! }
  input OwnerInput { teamId: ID connectorId: ID }
  input SecretFilter { name: String tags: [String!] status: Status }
  input CreateSecretInput {
    id: ID owner: OwnerInput! = {} name: String! value: String tags: [String!] status: Status
    ttlSeconds: Int weight: Float pinned: Boolean expiresAt: DateTime
  }
  type Query {
    secret(id: ID!): Secret
    node(id: ID!): Node
    secrets(owner: OwnerInput! = {}, filter: SecretFilter, first: Int, status: Status, pinned: Boolean, weight: Float, before: DateTime): SecretConnection!
    broken: Secret
  }
  type Mutation { createSecret(input: CreateSecretInput!): Secret createSecrets(inputs: [CreateSecretInput!]!): [Secret!] }
  type Subscription { secretChanged(owner: OwnerInput): Secret secretDeleted: Secret }
`);

export const MARKER = 'sk-CANARY-4f1d';
export const ENUM_MARKER = 'CANARY_ENUM_77';
export const NUMBER_MARKER = '4242424242';
export const leaked = (text: string) => [MARKER, ENUM_MARKER, NUMBER_MARKER].filter((marker) => text.includes(marker));

export const NO_ANSWER = 7;
Object.assign(schema.getType('DateTime') as GraphQLScalarType, {
  parseValue(value: unknown) {
    if (value === NO_ANSWER) return undefined;
    throw new TypeError(`no date: ${JSON.stringify(value)}`);
  },
  parseLiteral(node: unknown) {
    throw new GraphQLError(`no date: ${JSON.stringify(node)}`);
  },
});
export const bad = { [MARKER]: 1 };
const resolvers: Record<string, () => unknown> = {
  secrets: () => ({ totalCount: 0, nodes: [] }),
  broken: () => ({ id: bad, name: bad, version: MARKER, status: MARKER, tags: MARKER }),
};
for (const [name, field] of Object.entries((schema.getQueryType() as GraphQLObjectType).getFields())) {
  field.resolve = resolvers[name] ?? (() => null);
}

export interface Request {
  query: string;
  variables?: Record<string, unknown> | undefined;
  operationName?: string | undefined;
}

/** Log lines, labels of metrics, and everything else that is written about a request. */
export const written: unknown[] = [];
const write = (...what: unknown[]) => void written.push(...what);
const log = { isLevelEnabled: () => true, debug: write, info: write, warn: write, error: write, fatal: write } as never;
let server: Server;
let url = '';

/** The gateway's own endpoint, on the schema above. */
export async function startEndpoint(): Promise<void> {
  const engine = createEngine({
    schema,
    bindOperations: () => ({}) as never,
    introspection: true,
    securityDirectives: false,
    batchLimit: 0,
    plans: true,
    subscriptions: subscriptionsForTest(),
    persistedOperations: null,
    log,
    onOperation: write,
  });
  const principal = { kind: 'user', subject: 'ada', teams: [], scopes: new Set<never>() } as const;
  server = createServer(async (request, response) => {
    const answer = new Answer();
    const caller = { principal, requestId: 'r', answer, writeDeadlineMs: Infinity, secureTransport: true };
    const openStream = openStreamOn(response);
    const given = { caller, mediaType: graphqlResponseType, startedAtMs: 0, openStream };
    const context = { ...given, onAnswer() {}, async spend() {} };
    await engine(request, response, { ...context, body: await json(request) });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
}

export const stopEndpoint = () => server.close();

/** The errors in the answer to a request. */
export async function errorsOf(request: Request): Promise<AnswerError[]> {
  const headers = { 'content-type': 'application/json', accept: graphqlResponseType };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(request) });
  return ((await answer.json()) as { errors?: AnswerError[] }).errors ?? [];
}

/** The errors of graphql-js itself, which repeat values. */
export async function rawErrorsOf({ query, variables, operationName }: Request): Promise<readonly GraphQLError[]> {
  const source = { schema, source: query, variableValues: variables ?? null, operationName: operationName ?? null };
  // A rule that reads an argument throws the error of the argument.
  const { errors = [] } = await graphql(source).catch((error: GraphQLError) => ({ errors: [error] }));
  return errors;
}
